import { Refusal } from "../../error.ts";
import type { Program } from "../../operators/program.ts";

/** @throws Refusal `NOT_BUILT` for programs whose inputs would have to be read in one order */
export function refuseUnaligned({ repartitions, groups }: Program): void {
  if (repartitions.length === 0 && groups.every(({ inputs }) => inputs.length === 1)) return;
  throw new Refusal({
    code: "NOT_BUILT",
    what:
      repartitions.length > 0
        ? `rows would have to be placed anew (${repartitions.map(({ name }) => name).join(", ")}), which cannot be run yet`
        : "several inputs in one order cannot be run yet",
    remedies: ["use the record key as the key", "read one topic"],
  });
}
