import type { Position, Until } from "../../frame/driver.ts";
import type { PlanNode } from "../../plan/nodes/plan-node.ts";
import { notebookHost } from "../host.ts";
import { MODES } from "../modes.ts";
import { PlanReader, type ReadOptions, type ReadRows } from "./plan-reader.ts";
import { Progress } from "./progress.ts";
import { Quiet } from "./quiet.ts";
import { recordReads } from "./record-reads.ts";
import type { Session } from "./session.ts";

export interface BoundedOptions {
  readonly from?: Position;
  readonly until?: Until;
  readonly signal?: AbortSignal;
}

/**
 * Reads a bounded range and hands the rows of every answer to `take`. Shows its progress and notes the read in the journal. When the
 * cell is interrupted it throws the signal's reason; a read `until: "stopped"` ends there as it should.
 * @returns the closed reader, for its counts and its schema
 */
export async function readBounded(
  session: Session,
  node: PlanNode,
  options: BoundedOptions & Pick<ReadOptions, "shows" | "tap"> & { readonly what: string; readonly final?: boolean },
  take: (rows: readonly ReadRows[], reader: PlanReader) => Promise<void> | void,
): Promise<PlanReader> {
  const signal = anySignal(options.signal, notebookHost()?.cell()?.signal);
  signal?.throwIfAborted();
  const unbounded = options.until === "stopped";
  const reader = await PlanReader.open(session, node, {
    from: options.from ?? MODES.notebook.start.bounded,
    until: options.until,
    bounded: !unbounded,
    shows: options.shows,
    ...(options.tap && { tap: options.tap }),
  });
  const progress = new Progress(options.what, reader);
  try {
    const host = notebookHost();
    const watched = unbounded && host?.headless ? host.liveFor : Number.POSITIVE_INFINITY;
    const { rows = Number.POSITIVE_INFINITY, duration = watched } = reader.bound;
    const quiet = host?.headless && Number.isFinite(rows) ? new Quiet(host.liveFor) : undefined;
    const end = performance.now() + duration;
    while (!reader.done && reader.counts.rowsOut < rows && performance.now() < end) {
      if (unbounded && signal?.aborted) break;
      signal?.throwIfAborted();
      await take(await reader.next(Math.min(200, Math.max(1, end - performance.now()))), reader);
      progress.update();
      if (reader.counts.rowsOut < rows) quiet?.check(rows, reader.counts);
    }
    if (options.final) await take(await reader.openRows(), reader);
    return reader;
  } finally {
    recordReads(reader);
    progress.end();
    await reader.close();
  }
}

function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length < 2 ? given[0] : AbortSignal.any(given);
}
