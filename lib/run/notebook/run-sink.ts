import { Refusal } from "../../error.ts";
import type { Position, RunOptions, RunReport } from "../../frame/driver.ts";
import { Producer, partitionByKey } from "../../log/index.ts";
import { sourcesOf } from "../../plan/nodes/plan-node.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import { MODES } from "../modes.ts";
import { outputPartitions } from "../sink/output-topic.ts";
import { sinkRecords } from "../sink/sink-records.ts";
import { readBounded } from "./read-bounded.ts";
import type { Session, TopicRanges } from "./session.ts";

export interface SinkReport extends RunReport {
  readonly badRecords: number;
}

/**
 * Writes the rows of a sink: idempotent, without a group, over the range that was shown last (else from the earliest record to the end as of
 * now), unless `from` and `until` say otherwise.
 * @throws Refusal `SINK_ALREADY_RUN`; MillraceError `NO_OUTPUT_TOPIC`
 */
export async function runSink(session: Session, sink: SinkNode, options: RunOptions): Promise<SinkReport> {
  if (session.sinksRun.has(sink.id) && !options.again) {
    throw new Refusal({
      code: "SINK_ALREADY_RUN",
      what: `this sink was run before in this session; a second run would write its rows to "${sink.topic}" once more`,
      where: `.to("${sink.topic}")`,
      remedies: ["if that is wanted: .run({ again: true })"],
    });
  }
  const started = performance.now();
  const cluster = await session.acquire();
  try {
    const partitions = await outputPartitions(cluster, sink.topic, MODES.notebook);
    const producer = await Producer.create(cluster);
    try {
      let rowsOut = 0;
      const shown = shownRanges(session, sink);
      const range =
        shown === undefined || options.from !== undefined || options.until !== undefined ? undefined : shown;
      const from = options.from ?? (range && side(range, 0));
      const until = options.until ?? (range && side(range, 1));
      const bounded = { from, until, signal: options.signal, shows: false, what: `writing to ${sink.topic}` };
      const reader = await readBounded(session, sink, bounded, async (batches) => {
        // from here on a second run would repeat rows
        session.sinksRun.add(sink.id);
        for (const { rows } of batches) {
          rowsOut += rows.height;
          const placed = partitionByKey(sinkRecords(sink, rows), partitions);
          for (const [partition, records] of placed.entries()) await producer.send(sink.topic, partition, records);
        }
      }).finally(() => producer.flush());
      const { records, bad } = reader.counts;
      return { rowsIn: records, rowsOut, badRecords: bad, seconds: (performance.now() - started) / 1000 };
    } finally {
      await producer.close();
    }
  } finally {
    session.release();
  }
}

/** What the latest readers of its sources have read; undefined where nothing was read of one. */
function shownRanges(session: Session, sink: SinkNode): TopicRanges | undefined {
  const ranges = sourcesOf([sink]).map(({ id }) => session.shown.get(id)?.ranges);
  if (ranges.some((one) => one === undefined)) return undefined;
  return new Map(ranges.flatMap((one) => [...one!]));
}

/** The starts (0) or ends (1) of ranges, as exact offsets. */
function side(ranges: TopicRanges, which: 0 | 1): Position {
  return Object.fromEntries(
    [...ranges].map(([topic, partitions]) => [
      topic,
      Object.fromEntries([...partitions].map(([partition, range]) => [partition, range[which]])),
    ]),
  );
}
