import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { LateNode } from "../plan/nodes/late-node.ts";
import { columnsOf } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";
import { checkTime, delayAt } from "./check-time.ts";
import type { Compiled } from "./compile.ts";
import { beside } from "./exprs.ts";
import { endOfDynamic, endOfRolling, endOfSession, type Idle, withIdle } from "./idle-windows.ts";
import { lateSessionsPlan } from "./late-sessions.ts";
import { MISSED, withMissed } from "./missed-windows.ts";
import type { Operator, OperatorPlan } from "./operator.ts";
import { clocks } from "./row-clocks.ts";
import { missedWindows } from "./window-placement.ts";
import { type WindowSequence, windowSequence } from "./window-sequence.ts";

/**
 * The rows that at least one window did not take because it had closed just before them. Needs no state: `_watermark` says what had closed.
 * @throws Refusal `NOT_EVENT_TIME`, `DUPLICATE_COLUMN`
 */
export function compileLate(
  node: LateNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> & { watermark: true } {
  checkTime(node, input, "late");
  const idle = (operator: OperatorPlan): OperatorPlan => {
    if (node.idle === undefined) return operator;
    const { idle: after, indexColumn, grace } = node;
    return withIdle(
      operator,
      { after, indexColumn, grace, delay: delayAt(node, input), end: endOf(node) },
      storeName(`${operator.stores[0]?.name ?? "late"}_idle`),
    );
  };
  if (node.rolling)
    return {
      steps: [{ operator: idle({ stores: [], open: () => new LateForRolling(node) }) }],
      schema: input.schema,
      lineage: input.lineage,
      watermark: true,
      used: (columns) => new Set([...columns, node.indexColumn]),
    };
  checkMissed(input.schema);
  const schema = { ...input.schema, [MISSED]: "List(Datetime(ms))" };
  const plan = node.session && lateSessionsPlan(node, node.session, input, storeName);
  return {
    steps: [{ operator: idle(plan ?? { stores: [], open: () => new LateRows(node) }) }],
    schema,
    lineage: input.lineage,
    watermark: true,
    used: (columns) =>
      new Set([
        ...[...columns].filter((name) => name !== MISSED),
        node.indexColumn,
        ...(node.session?.by ?? []).flatMap(columnsOf),
      ]),
  };
}

function endOf(node: LateNode): Idle["end"] {
  if (node.rolling !== undefined) return endOfRolling(node.rolling);
  return node.session === undefined ? endOfDynamic(node) : endOfSession(node.session.gap);
}

/** @throws Refusal `DUPLICATE_COLUMN` */
export function checkMissed(schema: Schema): void {
  if (!Object.hasOwn(schema, MISSED)) return;
  throw new Refusal({
    code: "DUPLICATE_COLUMN",
    what: `two columns would be named "${MISSED}"`,
    where: "late",
    remedies: [`rename it before the windows: .rename({ ${MISSED}: "${MISSED}_2" })`],
  });
}

class LateRows implements Operator {
  readonly #node: LateNode;
  readonly #windows: WindowSequence;

  constructor(node: LateNode) {
    this.#node = node;
    this.#windows = windowSequence(node);
  }

  async process(batch: pl.DataFrame): Promise<pl.DataFrame> {
    const { times, watermarks } = clocks(batch, this.#node.indexColumn);
    return withMissed(batch, missedWindows(this.#windows, times, watermarks, this.#node.grace));
  }
}

/** Rows older than the watermark before them and the grace: windows that may have held them had been given. */
class LateForRolling implements Operator {
  readonly #node: LateNode;

  constructor(node: LateNode) {
    this.#node = node;
  }

  async process(batch: pl.DataFrame): Promise<pl.DataFrame> {
    const { times, watermarks } = clocks(batch, this.#node.indexColumn);
    const late = times.map((time, i) => (time < watermarks[i]! - this.#node.grace ? 1 : 0));
    return beside(batch, pl.DataFrame([pl.Series("§late", late as never, pl.Float64)]))
      .filter(LATE)
      .drop("§late");
  }
}

const LATE = pl.col("§late").gt(pl.lit(0));
