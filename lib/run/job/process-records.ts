import { MillraceError } from "../../error.ts";
import type { FetchedPartition } from "../../log/index.ts";
import { type BadRecord, badRecordAt, indexOfOffset } from "../source/index.ts";
import type { PartitionTask } from "./partition-task.ts";
import { type WarmPart, warmParts } from "./warm.ts";
import type { WorkerContext } from "./worker.ts";

/**
 * Takes fetched records through a task: bad ones to the dead letters, the rows they make to the sinks. What is written counts with the next
 * checkpoint.
 * @throws {MillraceError} `BAD_RECORD` with `--on-error stop`
 */
export async function processRecords(
  context: WorkerContext,
  task: PartitionTask,
  fetched: FetchedPartition,
): Promise<void> {
  for (const part of warmParts(fetched, context.settings.warm)) await processPart(context, task, part);
}

async function processPart(context: WorkerContext, task: PartitionTask, { fetched, silent }: WarmPart): Promise<void> {
  const { topic, partition, columns, nextOffset, lastStableOffset } = fetched;
  const { plan, topics, io, metrics, settings } = context;
  task.dirty = true;
  for (const { source, reader } of plan.inputs) {
    if (!topics.bySource.get(source.id)?.includes(topic)) continue;
    const { frame, bad } = reader.read({ topic, partition, columns });
    const result = await task.task.process(new Map([[source.id, frame]]));
    const all = [
      ...bad,
      ...result.bad.map((row) => badRecordAt(fetched, indexOfOffset(columns.offsets!, row.offset), row.reason)),
    ];
    if (all.length > 0 && !silent) {
      if (settings.onError === "stop") throw badRecord(all[0] as BadRecord, topics.deadLetter);
      await io.deadLetters(all);
      task.bad += all.length;
    }
    for (const { terminal, frame: rows } of result.rows) {
      const sink = plan.sinks.get(terminal);
      if (sink === undefined || rows.height === 0 || silent) continue;
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
