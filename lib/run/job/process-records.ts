import type pl from "nodejs-polars";
import { MillraceError } from "../../error.ts";
import type { FetchedPartition, RecordColumns } from "../../log/index.ts";
import { type BadRecord, badRecordAt, indexOfOffset, oncePerRecord } from "../source/index.ts";
import type { Ready } from "./ordered-inputs.ts";
import type { PartitionTask } from "./partition-task.ts";
import { isBeforeWarmEnd, type WarmPart, warmParts } from "./warm.ts";
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
  if (task.inputs !== undefined) {
    const external = context.topics.external.includes(fetched.topic);
    if (external && !task.warming) task.rowsIn += fetched.columns.count;
    task.dirty = true;
    const { topic, partition, lastStableOffset, nextOffset } = fetched;
    context.metrics.lag.set({ topic, partition }, Math.max(0, lastStableOffset - nextOffset));
    if (task.warming) {
      // what comes after is fetched again once it is written
      for (const part of warmParts(fetched, context.settings.warm)) {
        if (!part.silent) continue;
        task.rowsIn += part.fetched.columns.count;
        await task.inputs.take(part.fetched);
      }
      return;
    }
    return await writeReady(context, task, await task.inputs.take(fetched));
  }
  for (const part of warmParts(fetched, context.settings.warm)) await processPart(context, task, part);
}

async function processPart(context: WorkerContext, task: PartitionTask, { fetched, silent }: WarmPart): Promise<void> {
  const { topic, partition, columns, nextOffset, lastStableOffset } = fetched;
  const { plan, topics, io, metrics, settings, log } = context;
  task.dirty = true;
  const all: BadRecord[] = [];
  for (const { source, reader } of plan.inputs) {
    if (!topics.bySource.get(source.id)?.includes(topic)) continue;
    const read = reader.read({ topic, partition, columns });
    const result = await task.task.process(new Map([[source.id, read.packed ?? read.frame]]));
    all.push(...read.bad);
    for (const row of result.bad)
      all.push(badRecordAt(fetched, indexOfOffset(columns.offsets!, row.offset), row.reason));
    if (all.length > 0 && !silent && settings.onError === "stop") throw badRecord(all[0]!, topics.deadLetter);
    for (const { terminal, frame: rows } of result.rows) {
      if (silent) continue;
      await write(context, task, terminal, rows, columns);
    }
    metrics.unknownFields.set({ source: source.id }, reader.counts.unknownFields);
  }
  const letters = oncePerRecord(all);
  if (letters.length > 0 && !silent) {
    await io.deadLetters(letters);
    task.bad += letters.length;
  }
  task.rowsIn += columns.count;
  task.offsets.set(topic, nextOffset);
  if (silent && !isBeforeWarmEnd(task.offsets, partition, settings.warm))
    log.info("state is as it was, rows are written from here on", { topic, partition, offset: nextOffset });
  metrics.lag.set({ topic, partition }, Math.max(0, lastStableOffset - nextOffset));
}

/** Rows of a sink go to its topic, those of files to where they wait for the checkpoint; a table keeps its own. */
async function write(
  { plan, io }: WorkerContext,
  task: PartitionTask,
  terminal: string,
  rows: pl.DataFrame,
  source: RecordColumns | undefined,
  byClock = false,
): Promise<void> {
  const sink = plan.sinks.get(terminal);
  if (rows.height === 0 || (sink === undefined && !plan.files.has(terminal))) return;
  if (sink === undefined) task.files!.take(terminal, rows);
  else await io.write(sink, rows, source, byClock);
  task.rowsOut += rows.height;
}

/**
 * Writes rows of sinks and dead letters of inputs that are read in one order.
 * @param byClock the wall clock is the cause of them
 */
export async function writeReady(
  context: WorkerContext,
  task: PartitionTask,
  { rows, bad }: Ready,
  byClock = false,
): Promise<void> {
  const { topics, io, settings } = context;
  if (bad.length > 0) {
    if (settings.onError === "stop") throw badRecord(bad[0] as BadRecord, topics.deadLetter);
    await io.deadLetters(bad);
    task.bad += bad.length;
  }
  for (const { terminal, frame } of rows) {
    await write(context, task, terminal, frame, undefined, byClock);
  }
  if (bad.length + rows.length > 0) task.dirty = true;
}

/**
 * Work that the wall clock is the cause of.
 * @param isReadUp whether a topic had no more to bring at some time of the last so many ms
 */
export async function advance(
  context: WorkerContext,
  task: PartitionTask,
  now: number,
  isReadUp: (topic: string, waited: number) => boolean,
): Promise<void> {
  if (task.warming) await task.inputs?.endRead();
  else if (task.inputs !== undefined) {
    await writeReady(context, task, await task.inputs.advance(now, isReadUp), true);
    if (task.inputs.untold) task.dirty = true;
  }
  if (task.inputs !== undefined) return;
  if (isBeforeWarmEnd(task.offsets, task.partition, context.settings.warm)) return;
  const { rows, bad } = await task.task.advance(now);
  if (rows.length + bad.length === 0) return;
  const records = bad.map(({ source, partition, offset, reason }) => ({
    topic: context.topics.bySource.get(source)?.join(", ") ?? source,
    partition,
    offset,
    timestamp: now,
    key: null,
    value: null,
    reason,
  }));
  await writeReady(context, task, { rows, bad: records }, true);
}

function badRecord(bad: BadRecord, deadLetter: string): MillraceError {
  return new MillraceError({
    code: "BAD_RECORD",
    what: `A record cannot be read: ${bad.reason}.`,
    where: `topic ${bad.topic}, partition ${bad.partition}, offset ${bad.offset}`,
    remedies: [`leave --on-error stop out: bad records then go to ${deadLetter}`],
  });
}
