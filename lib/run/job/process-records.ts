import { MillraceError } from "../../error.ts";
import type { FetchedPartition } from "../../log/index.ts";
import type { BadRecord } from "../source/index.ts";
import type { PartitionTask } from "./partition-task.ts";
import type { WorkerContext } from "./worker.ts";

/**
 * Takes fetched records through a task: bad ones to the dead letters, the rows they make to the sinks. What is written counts with the next
 * checkpoint.
 * @throws {MillraceError} `BAD_RECORD` with `--on-error stop`
 */
export async function processRecords(
  context: WorkerContext,
  task: PartitionTask,
  { topic, partition, columns, nextOffset, lastStableOffset }: FetchedPartition,
): Promise<void> {
  const { plan, topics, io, metrics, settings } = context;
  task.dirty = true;
  for (const { source, reader } of plan.inputs) {
    if (!topics.bySource.get(source.id)?.includes(topic)) continue;
    const { frame, bad } = reader.read({ topic, partition, columns });
    if (bad.length > 0) {
      if (settings.onError === "stop") throw badRecord(bad[0] as (typeof bad)[0], topics.deadLetter);
      await io.deadLetters(bad);
      task.bad += bad.length;
    }
    for (const { terminal, frame: rows } of await task.task.process(source.id, frame)) {
      const sink = plan.sinks.get(terminal);
      if (sink === undefined || rows.height === 0) continue;
      await io.write(sink, rows, columns);
      task.rowsOut += rows.height;
    }
    metrics.unknownFields.set({ source: source.id }, reader.counts.unknownFields);
  }
  task.rowsIn += columns.count;
  task.offsets.set(topic, nextOffset);
  metrics.lag.set({ topic, partition }, Math.max(0, lastStableOffset - nextOffset));
}

function badRecord(bad: BadRecord, deadLetter: string): MillraceError {
  return new MillraceError({
    code: "BAD_RECORD",
    what: `A record cannot be read: ${bad.reason}.`,
    where: `topic ${bad.topic}, partition ${bad.partition}, offset ${bad.offset}`,
    remedies: [`leave --on-error stop out: bad records then go to ${deadLetter}`],
  });
}
