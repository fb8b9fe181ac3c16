import type { FrameDriver } from "../../frame/driver.ts";
import { givenParams } from "../../frame/param.ts";
import { planKey } from "../../plan/content-key.ts";
import { explain } from "../../plan/explain.ts";
import { shownColumns } from "../../plan/named-metadata.ts";
import { type PlanNode, sourcesOf } from "../../plan/nodes/plan-node.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import type { Schema } from "../../schema.ts";
import { notebookHost } from "../host.ts";
import { describeSource } from "../source/source-schema.ts";
import { batches } from "./batches.ts";
import { CHART_ROWS, checkChart, liveChartBundle } from "./chart-view.ts";
import { collect } from "./collect.ts";
import { storeRows } from "./files/store-rows.ts";
import { NotebookLiveFrame } from "./notebook-live-frame.ts";
import { compilePlan } from "./plan-reader.ts";
import { runSink } from "./run-sink.ts";
import { Session } from "./session.ts";
import { tableBundle } from "./table-view.ts";
import { trace } from "./trace.ts";

const ROWS_SHOWN = 20;

/**
 * Carries frames out in a notebook, or in any Node program: reads by assignment, joins no group, commits nothing, creates no topic and
 * writes only through `.run()` (law 4).
 */
export function notebookDriver(session = new Session()): FrameDriver {
  const live = (node: PlanNode, options: Parameters<FrameDriver["live"]>[1]): NotebookLiveFrame => {
    const view = { title: titleOf(node), note: noteOf(node), rows: options.rows ?? ROWS_SHOWN };
    return new NotebookLiveFrame(session, node, options, {
      draw: (frame, status, id) => tableBundle(frame, status, view, id),
    });
  };
  return {
    collect: (node, options) => collect(session, node, options),
    live,
    plot(node, options) {
      const title = titleOf(node);
      return new NotebookLiveFrame(
        session,
        node,
        { keep: CHART_ROWS, ...options },
        {
          draw: (frame, status, id) => liveChartBundle(frame, status, options, title, id),
          chart: options,
          named: [options.x, options.by, options.z, options.y].flat().filter((name) => name !== undefined),
          check: (empty) => checkChart(empty, options),
        },
      );
    },
    batches: (node, options) => batches(session, node, options),
    trace: (node, row, options) => trace(session, node, row, options),
    schema: (node) => schema(session, node),
    run: (sink, options) => runSink(session, sink, options),
    store: (node, target, options) => storeRows(session, node, target, options),
    declared: (sink) =>
      notebookHost()?.recordSink?.({
        id: sink.id,
        topic: sink.topic,
        ...(isPlain(sink) && { plan: planKey(sink.input) }),
        given: Object.fromEntries(givenParams()),
      }),
    display(node) {
      // nobody would stop a read that a plain program started by printing a frame
      if (notebookHost() === undefined) return { "text/plain": explain(node) };
      return (live(node, {}) as unknown as Record<symbol, () => unknown>)[Symbol.for("Jupyter.display")]!();
    },
  };
}

async function schema(session: Session, node: PlanNode): Promise<Schema> {
  let acquired = false;
  try {
    const { terminal } = await compilePlan(session, node, async () => {
      const cluster = await session.acquire();
      acquired = true;
      return cluster;
    });
    return Object.fromEntries(
      shownColumns(node, Object.keys(terminal.schema)).map((name) => [name, terminal.schema[name]!]),
    );
  } finally {
    if (acquired) session.release();
  }
}

/** A sink whose records are the rows of its frame as they are shown. */
const isPlain = (sink: SinkNode) => sink.format === "json" && sink.value === undefined && sink.delete === undefined;

const titleOf = (node: PlanNode): string => describeSource(sourcesOf([node])[0]!);

const noteOf = (node: PlanNode): string | undefined =>
  node.kind === "sink"
    ? `Rows for topic ${node.topic}: a preview, nothing is written. .run() writes them; a promoted job always does.`
    : undefined;
