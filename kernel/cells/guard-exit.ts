import { Refusal } from "../../lib/error.ts";
import { currentRun } from "./cell-run.ts";

/** A cell that ends the process would take every variable with it, and in the notebook it would look like a crash: it fails instead. */
export function guardExit(): void {
  for (const name of ["exit", "abort", "reallyExit"] as const) {
    const end = Reflect.get(process, name) as (...parameters: unknown[]) => never;
    Reflect.set(process, name, (...parameters: unknown[]) => {
      if (currentRun.getStore() === undefined) return end.apply(process, parameters);
      throw new Refusal({
        code: "PROCESS_EXIT",
        what: `process.${name}(${parameters.map(String).join(", ")}) in a cell would end the kernel and lose every variable`,
        remedies: ["throw an error to end the cell", "shut the kernel down from the notebook's menu"],
      });
    });
  }
}
