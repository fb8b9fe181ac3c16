import { Refusal } from "../../error.ts";
import type { Program } from "../../operators/program.ts";

/**
 * Topics whose rows meet by key have to place keys alike: partition `n` of one belongs to partition `n` of the others.
 * @param counts topic -> its number of partitions
 * @throws Refusal `NOT_CO_PARTITIONED`
 */
export function checkPartitionCounts({ stores, groups }: Program, counts: ReadonlyMap<string, number>): void {
  const keyed = stores.length > 1 || groups.some(({ inputs }) => inputs.length > 1);
  if (!keyed || new Set(counts.values()).size < 2) return;
  throw new Refusal({
    code: "NOT_CO_PARTITIONED",
    what: `The topics of a plan with state have different partition counts: ${[...counts].map(([topic, n]) => `${topic} ${n}`).join(", ")}: partitions of the same number hold other keys.`,
    remedies: [
      "give them the same number of partitions",
      "or copy one by a job of its own: topic(…).to(…) into a topic with as many partitions",
      "or run the plans apart",
    ],
  });
}
