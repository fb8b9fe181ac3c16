import type polars from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkFormat } from "../format/names.ts";
import { checkFilter, checkRowExprs } from "../plan/analysis/check.ts";
import { contentId, contentKey } from "../plan/content-key.ts";
import { dropNode } from "../plan/nodes/drop-node.ts";
import { explodeNode } from "../plan/nodes/explode-node.ts";
import { filterNode } from "../plan/nodes/filter-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { renameNode } from "../plan/nodes/rename-node.ts";
import { selectNode } from "../plan/nodes/select-node.ts";
import { sinkNode } from "../plan/nodes/sink-node.ts";
import { uniqueNode } from "../plan/nodes/unique-node.ts";
import { unnestNode } from "../plan/nodes/unnest-node.ts";
import { withColumnsNode } from "../plan/nodes/with-columns-node.ts";
import { pl } from "../plan/pl.ts";
import type { Schema } from "../schema.ts";
import { type Columns, type ExprOrString, tree, trees } from "./arguments.ts";
import { concatNodeOf } from "./concat.ts";
import { display } from "./display.ts";
import {
  type BatchesOptions,
  type CollectOptions,
  declareSink,
  driver,
  type LiveFrame,
  type LiveOptions,
  type PlotOptions,
  type TraceOptions,
} from "./driver.ts";
import { type ExplainOptions, explanation, type PlanPicture } from "./explanation.ts";
import { type FileSink, type ToTableOptions, toParquet, toTable } from "./file-sink.ts";
import { StreamRunningGroupBy } from "./group-by.ts";
import { type GroupByCountOptions, groupByCount } from "./group-by-count.ts";
import { type GroupByDynamicOptions, groupByDynamic } from "./group-by-dynamic.ts";
import { type GroupByRollingOptions, groupByRolling } from "./group-by-rolling.ts";
import { type GroupBySessionOptions, groupBySession } from "./group-by-session.ts";
import { type Joinable, joinNodeOf, type StreamJoinOptions } from "./join.ts";
import { type JoinAsofOptions, joinAsOfNodeOf } from "./join-as-of.ts";
import { keyBy } from "./key-by.ts";
import { lateRows } from "./late.ts";
import { type LatenessOptions, lateness } from "./lateness.ts";
import { type MapOptions, mapNodeOf } from "./map.ts";
import { type Model, type PredictOptions, predictNodeOf } from "./predict.ts";
import { type ProcessOptions, processNodeOf } from "./process.ts";
import { type ProfileOptions, profile } from "./profile.ts";
import { RefusedVerbs } from "./refused-verbs.ts";
import type { RowOf } from "./row-types.ts";
import { Sink, type SinkOptions } from "./sink.ts";
import { type StateOptions, splitOptions, ttlOf } from "./state-options.ts";
import type { StaticTable } from "./static-table.ts";
import { tableRows } from "./table-rows.ts";
import { type UniqueOptions, uniqueOptions } from "./unique.ts";
import type { StreamWindows } from "./window-options.ts";

/**
 * Rows of a topic as they arrive, and what is made of them. Immutable: every verb gives a new frame and reads nothing.
 * Verbs have the names and arguments of nodejs-polars' LazyDataFrame.
 */
export class StreamFrame extends RefusedVerbs {
  /** The plan, as data. */
  readonly node: PlanNode;

  constructor(node: PlanNode) {
    super();
    this.node = node;
    Object.freeze(this);
  }

  /**
   * Exactly these columns.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * phone.select("device", pl.col("gForceX").abs().alias("size"))
   * // device  size
   * // a        0.5
   * // b          3
   * // a        2.5
   * // a          1
   * // b          1
   * // b          0
   */
  select(...args: readonly (Columns | StateOptions)[]): StreamFrame {
    const { columns, ...ttl } = splitOptions<Columns>(args, "select");
    const exprs = trees(columns);
    checkRowExprs(exprs, { verb: "select", input: this.node });
    return new StreamFrame(selectNode({ input: this.node, exprs, ...ttl }));
  }

  /**
   * Adds columns, or replaces those of the same name. State per key is kept for ever, or with `{ ttl: "1h" }` as the last argument for that long in event
   * time after the last row of the key, which then starts anew.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * phone.withColumns(pl.col("gForceX").diff(1, "ignore").over("device").alias("delta"))
   * // device  timestamp                 gForceX  gForceY  delta
   * // a       1970-01-01T00:00:00Z          0.5        1      -
   * // b       1970-01-01T00:00:00.400Z        3        4      -
   * // a       1970-01-01T00:00:00.900Z      2.5        0      2
   * // a       1970-01-01T00:00:01.500Z       -1        2   -3.5
   * // b       1970-01-01T00:00:00.700Z        1        1     -2
   * // b       1970-01-01T00:00:02.600Z        0        0     -1
   */
  withColumns(...args: readonly (Columns | StateOptions)[]): StreamFrame {
    const { columns, ...ttl } = splitOptions<Columns>(args, "withColumns");
    const exprs = trees(columns);
    checkRowExprs(exprs, { verb: "withColumns", input: this.node });
    return new StreamFrame(withColumnsNode({ input: this.node, exprs, ...ttl }));
  }

  /**
   * One column more, or in the place of another.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * ticks.withColumn(pl.col("price").multiplyBy(pl.col("volume")).alias("worth"))
   * // symbol  timestamp                 price  volume  worth
   * // XYZ     1970-01-01T00:00:00Z         10       1     10
   * // XYZ     1970-01-01T00:00:00.005Z     11       2     22
   * // XYZ     1970-01-01T00:00:00.006Z     12       4     48
   */
  withColumn(column: polars.Expr): StreamFrame {
    return this.withColumns(column);
  }

  /**
   * A column under another name.
   * @example
   * trades.withColumnRenamed("price", "paid")
   * // symbol  timestamp             paid
   * // XYZ     1970-01-01T00:00:01Z    10
   * // XYZ     1970-01-01T00:00:09Z    12
   */
  withColumnRenamed(existing: string, replacement: string): StreamFrame {
    return this.rename({ [existing]: replacement });
  }

  /**
   * Every value column with its nulls filled, where Polars has a common dtype for both. Filled keys and times are new columns: name the
   * columns, `withColumns(pl.col("x").fillNull(0))`, to keep those of the topic.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * trades.select("price").fillNull(0)
   * // price
   * //    10
   * //    12
   */
  fillNull(value: number | string | polars.Expr): StreamFrame {
    return this.withColumns(pl.all().fillNull(value as never));
  }

  /**
   * Every value column with its NaN filled.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * trades.select("price").fillNan(0)
   * // price
   * //    10
   * //    12
   */
  fillNan(value: number | polars.Expr): StreamFrame {
    return this.withColumns(pl.all().fillNan(value as never));
  }

  /**
   * Without the rows that have a null in one of these columns, or in any.
   * @example
   * ticks.dropNulls("price")
   * // symbol  timestamp                 price  volume
   * // XYZ     1970-01-01T00:00:00Z         10       1
   * // XYZ     1970-01-01T00:00:00.005Z     11       2
   * // XYZ     1970-01-01T00:00:00.006Z     12       4
   */
  dropNulls(...columns: readonly (string | readonly string[])[]): StreamFrame {
    const names = columns.flat();
    const present = names.length === 0 ? [pl.all().isNotNull()] : names.map((name) => pl.col(name).isNotNull());
    return this.filter(pl.allHorizontal(present as never));
  }

  /**
   * Keeps the rows for which the predicate is true.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * ticks.filter(pl.col("volume").gt(1))
   * // symbol  timestamp                 price  volume
   * // XYZ     1970-01-01T00:00:00.005Z     11       2
   * // XYZ     1970-01-01T00:00:00.006Z     12       4
   */
  filter(predicate: ExprOrString, options: StateOptions = {}): StreamFrame {
    const condition = tree(predicate);
    checkFilter(condition, { verb: "filter", input: this.node });
    return new StreamFrame(filterNode({ input: this.node, predicate: condition, ...ttlOf(options, "filter") }));
  }

  /**
   * Renames columns: `{ old: "new" }`.
   * @example
   * ticks.rename({ price: "close" })
   * // symbol  timestamp                 close  volume
   * // XYZ     1970-01-01T00:00:00Z         10       1
   * // XYZ     1970-01-01T00:00:00.005Z     11       2
   * // XYZ     1970-01-01T00:00:00.006Z     12       4
   */
  rename(mapping: Readonly<Record<string, string>>): StreamFrame {
    return new StreamFrame(renameNode({ input: this.node, mapping: Object.freeze({ ...mapping }) }));
  }

  /**
   * Leaves columns out.
   * @example
   * ticks.drop("timestamp", "volume")
   * // symbol  price
   * // XYZ        10
   * // XYZ        11
   * // XYZ        12
   */
  drop(...names: readonly (string | readonly string[])[]): StreamFrame {
    return new StreamFrame(dropNode({ input: this.node, columns: names.flat() }));
  }

  /**
   * One row per item of a list column; a row without items stays once, with null. The other columns repeat. Several lists go side by side; a record
   * whose lists differ in length is a bad one.
   * @throws Refusal `BAD_OPTION`; when compiled also `UNKNOWN_COLUMN`, `NOT_A_LIST`
   * @example
   * messages.withColumns(pl.col("text").str.split(" ").alias("word")).explode("word")
   * // user  timestamp                 text          likes  word
   * // ann   1970-01-01T00:00:00Z      good morning  [1,2]  good
   * // ann   1970-01-01T00:00:00Z      good morning  [1,2]  morning
   * // bob   1970-01-01T00:00:00.010Z  hi            []     hi
   */
  explode(...columns: readonly (string | readonly string[])[]): StreamFrame {
    const [column, ...more] = columns.flat();
    if (column === undefined || [column, ...more].some((name) => typeof name !== "string"))
      throw new Refusal({
        code: "BAD_OPTION",
        what: "explode takes the names of list columns",
        where: "explode",
        remedies: ['.explode("items")', '.explode("items", "prices")'],
      });
    return new StreamFrame(explodeNode({ input: this.node, column, ...(more.length > 0 && { more }) }));
  }

  /**
   * The first row of each combination of values. With `within`, a row counts as a duplicate only while event time (the largest so far) is less
   * than that past the row given before; with `ttl` it is forgotten that long after its last row, given or not. Without either, every combination is
   * remembered for ever.
   * @throws Refusal `NO_SUBSET`, `BAD_DURATION`, `NO_EXACT_STREAMING_MEANING` (keep "last" or "none")
   * @example
   * orders.unique({ subset: ["customer", "order"], within: "1h" })
   * // order  timestamp             customer  amount
   * // o1     1970-01-01T00:00:00Z  ann           20
   * // o2     1970-01-01T00:00:01Z  bob            5
   * // o3     1970-01-01T00:00:03Z  ann          7.5
   */
  unique(options: UniqueOptions): StreamFrame {
    return new StreamFrame(uniqueNode({ input: this.node, ...uniqueOptions(options) }));
  }

  /**
   * A function over rows: what it gives for a row takes its place, with the columns of `schema`; `keep` names columns of the row that go along
   * by themselves. It sees a row through one object whose properties read the columns (nothing is copied, so keep `{ ...row }`, not `row`). A
   * record for which it throws, or gives what does not fit the schema, is a bad one.
   * @throws Refusal `NO_SCHEMA`, `BAD_SCHEMA`, `NOT_A_FUNCTION`, `ASYNC_FUNCTION`
   * @example
   * phone.map((row) => ({ total: Math.abs(row.gForceX) + Math.abs(row.gForceY) }), { schema: { total: "Float64" }, keep: ["device"] })
   * // device  total
   * // a         1.5
   * // b           7
   * // a         2.5
   * // a           3
   * // b           2
   * // b           0
   */
  map<const S extends Schema, R = any>(fn: (row: R) => RowOf<S>, options: MapOptions<S>): StreamFrame {
    return new StreamFrame(mapNodeOf(this.node, false, fn, options));
  }

  /**
   * Like `map`, with any number of rows for one: a list, or whatever can be iterated.
   * @throws Refusal `NO_SCHEMA`, `BAD_SCHEMA`, `NOT_A_FUNCTION`, `ASYNC_FUNCTION`
   * @example
   * messages.flatMap((row) => row.text.split(" ").map((word) => ({ word })), { schema: { word: "Utf8" } })
   * // word
   * // good
   * // morning
   * // hi
   */
  flatMap<const S extends Schema, R = any>(
    fn: (row: R) => Iterable<RowOf<S>> | null | undefined,
    options: MapOptions<S>,
  ): StreamFrame {
    return new StreamFrame(mapNodeOf(this.node, true, fn, options));
  }

  /**
   * Code with a state object and timers per key. State is plain data; it is checkpointed, restored, and read by SQL as JSON
   * (`state->>'$.count'`). Timers of event time are called once the watermark has reached them, in time order.
   * A record for which the code throws is a bad one, and leaves state as it was.
   * @throws Refusal `NO_KEY`, `NO_STATE`, `NO_SCHEMA`, `BAD_SCHEMA`, `NEEDS_REPARTITION`
   * @example
   * phone.process({
   *   by: "device",
   *   state: { count: 0 },
   *   schema: { count: "Int64" },
   *   onRow: (row, ctx) => ctx.emit({ count: ++ctx.state.count }),
   * })
   * // device  count
   * // a           1
   * // b           1
   * // a           2
   * // a           3
   * // b           2
   * // b           3
   */
  process<State, const S extends Schema, R = any>(options: ProcessOptions<State, S, R>): StreamFrame {
    return new StreamFrame(processNodeOf(this.node, options));
  }

  /**
   * Adds columns that a model computes from columns, a batch at a time: a function, or an ONNX file. Numbers come as Float64Array, null as NaN.
   * A record for which it fails is a bad one.
   * @throws Refusal `NO_MODEL`, `NO_FEATURES`, `NO_SCHEMA`
   * @example
   * phone.predict(({ gForceX }) => gForceX.map((x) => (x > 2 ? 1 : 0)), { features: "gForceX", as: "crash" })
   * // device  timestamp                 gForceX  gForceY  crash
   * // a       1970-01-01T00:00:00Z          0.5        1      0
   * // b       1970-01-01T00:00:00.400Z        3        4      1
   * // a       1970-01-01T00:00:00.900Z      2.5        0      1
   * // a       1970-01-01T00:00:01.500Z       -1        2      0
   * // b       1970-01-01T00:00:00.700Z        1        1      0
   * // b       1970-01-01T00:00:02.600Z        0        0      0
   */
  predict(model: Model | string, options: PredictOptions): StreamFrame {
    return new StreamFrame(predictNodeOf(this.node, model, options));
  }

  /**
   * Rows with equal keys beside each other, as in Polars; null keys match nothing. The other side is
   * - a stream: rows match whose event times differ by at most `within`. A pair is given when the later of its rows is read, a row without a partner
   *   (left, right, full, anti) once none can come any more. Rows are kept for that long.
   * - a table of a topic: each row finds what the table held at the row's event time, also when the row is late, up to `history`
   *   (`latest: true`: what was read last).
   * - fixed rows: a frame or a file, see `table`.
   *
   * Two tables make a table: the joined row of a key again, whenever either side changes.
   * @throws Refusal `NO_KEY`, `NO_HORIZON`, `KEY_DTYPES`, `DUPLICATE_COLUMN`, `NEEDS_REPARTITION`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * clicks.join(orders, { on: "order", within: { before: "1m", after: "10s" } })
   * // order  timestamp                 page   timestamp_right       customer  amount
   * // o1     1970-01-01T00:00:00.100Z  /pay   1970-01-01T00:00:00Z  ann           20
   * // o1     1970-01-01T00:00:00.100Z  /pay   1970-01-01T00:00:02Z  ann           20
   * // o2     1970-01-01T00:00:05Z      /pay   1970-01-01T00:00:01Z  bob            5
   * // o2     1970-01-01T00:01:00Z      /late  1970-01-01T00:00:01Z  bob            5
   */
  join(other: Joinable | StaticTable, options: StreamJoinOptions): StreamFrame {
    return new StreamFrame(joinNodeOf(this.node, other, options));
  }

  /**
   * Each row with the one of the other frame that is nearest in event time: the last at or before it (`backward`), or the first at or after it
   * (`forward`, which waits for `tolerance`). Rows without one stay, with nulls.
   * @throws Refusal `NO_KEY`, `NO_HORIZON`, `NOT_EVENT_TIME`, `KEY_DTYPES`, `DUPLICATE_COLUMN`
   * @example
   * trades.joinAsof(quotes, { on: "timestamp", by: "symbol", tolerance: "2s" })
   * // symbol  timestamp             price  bid
   * // XYZ     1970-01-01T00:00:01Z     10  9.5
   * // XYZ     1970-01-01T00:00:09Z     12    -
   */
  joinAsof(other: Joinable, options: JoinAsofOptions): StreamFrame {
    return new StreamFrame(joinAsOfNodeOf(this.node, other, options));
  }

  /**
   * These rows and those of other frames of the same columns, see `concat`.
   * @example
   * ticks.select("symbol", "timestamp", "price").concat(trades)
   * // symbol  timestamp                 price
   * // XYZ     1970-01-01T00:00:00Z         10
   * // XYZ     1970-01-01T00:00:00.005Z     11
   * // XYZ     1970-01-01T00:00:00.006Z     12
   * // XYZ     1970-01-01T00:00:01Z         10
   * // XYZ     1970-01-01T00:00:09Z         12
   */
  concat(...others: readonly StreamFrame[]): StreamFrame {
    return new StreamFrame(concatNodeOf([this, ...others]));
  }

  /**
   * The fields of struct columns as columns of their own, in the place of the struct.
   * @example
   * ticks.select("symbol", pl.struct([pl.col("price"), pl.col("volume")]).alias("deal")).unnest("deal")
   * // symbol  price  volume
   * // XYZ        10       1
   * // XYZ        11       2
   * // XYZ        12       4
   */
  unnest(...names: readonly (string | readonly string[])[]): StreamFrame {
    return new StreamFrame(unnestNode({ input: this.node, columns: names.flat() }));
  }

  /**
   * Places rows by other keys than the record key: those with equal keys meet in one partition and come in the order of event time. A job sends them
   * through a topic of its own. Keyed verbs do it by themselves where they need it; `keyBy` says it once for several of them, and makes
   * the key that of the records written next.
   * @throws Refusal `NO_KEY`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * orders.keyBy("customer").withColumns(pl.col("amount").cumSum().over("customer").alias("total"))
   * // order  timestamp             customer  amount  total
   * // o1     1970-01-01T00:00:00Z  ann           20     20
   * // o2     1970-01-01T00:00:01Z  bob            5      5
   * // o1     1970-01-01T00:00:02Z  ann           20     40
   * // o3     1970-01-01T00:00:03Z  ann          7.5   47.5
   */
  keyBy(...keys: readonly Columns[]): StreamFrame {
    return new StreamFrame(keyBy(this.node, trees(keys)));
  }

  /**
   * Groups over everything so far. Gives the row of a key again whenever a batch has changed it: the last row per key is that of Polars'
   * own groupBy. State is one row per key, without a horizon unless `{ ttl: "1h" }` is the last argument: then a key is forgotten that long after its
   * last row, in event time, and starts anew.
   * @throws Refusal `NO_EXACT_STREAMING_MEANING`
   * @example
   * phone.groupBy("device").agg(pl.col("gForceX").max().alias("max"), pl.len().alias("n"))
   * // device  max  n
   * // a       2.5  3
   * // b         3  3
   */
  groupBy(...by: readonly (Columns | StateOptions)[]): StreamRunningGroupBy {
    return new StreamRunningGroupBy(this.node, by, (node) => new StreamFrame(node));
  }

  /**
   * Windows of event time, per key: tumbling, or hopping when `period` differs from `every`. Windows are aligned to the epoch, contain
   * their start and not their end, and add `window_start` and `window_end`.
   * @throws Refusal `BAD_DURATION`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * total.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.col("gForceTotal").mean().alias("mean"))
   * // device  window_start          window_end            mean
   * // a       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z     2
   * // b       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z     7
   * // a       1970-01-01T00:00:01Z  1970-01-01T00:00:02Z     3
   */
  groupByDynamic(options: GroupByDynamicOptions): StreamWindows {
    return groupByDynamic(this.node, options, (node) => new StreamFrame(node));
  }

  /**
   * Sessions of event time, per key: a session goes on while rows come less than `gap` apart, in event time; a late row may bring two together. Adds
   * `window_start`, the time of its first row, and `window_end`, that of its last row and the gap. It closes when event time has reached
   * `window_end` and `grace`; a row is late when it belongs to no open session and the one it would begin has closed.
   * @throws Refusal `BAD_DURATION`, `NOT_EVENT_TIME`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * visits.groupBySession({ by: "user", gap: "30m" }).agg(pl.len().alias("pages"), pl.col("page").last().alias("left_at"))
   * // user  window_start          window_end            pages  left_at
   * // ann   1970-01-01T00:00:00Z  1970-01-01T00:31:00Z      2  /shop
   * // bob   1970-01-01T00:01:30Z  1970-01-01T00:31:30Z      1  /
   */
  groupBySession(options: GroupBySessionOptions): StreamWindows {
    return groupBySession(this.node, options, (node) => new StreamFrame(node));
  }

  /**
   * Windows of rows, per key, in the order in which they come: of `every` rows, or of `period` rows every `every` rows. Adds `window_index`, from 0 on per
   * key, and `window_start` and `window_end`: the least event time of its rows, and a millisecond past the greatest. A window is given
   * when its last row has come; one that is not full waits.
   * @throws Refusal `BAD_OPTION`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * ticks.groupByCount({ by: "symbol", every: 3 }).agg(pl.col("price").last().alias("close"), pl.col("volume").sum())
   * // symbol  window_index  window_start          window_end                close  volume
   * // XYZ                0  1970-01-01T00:00:00Z  1970-01-01T00:00:00.007Z     12       7
   */
  groupByCount(options: GroupByCountOptions): StreamWindows {
    return groupByCount(this.node, options, (node) => new StreamFrame(node));
  }

  /**
   * For each row the rows of its key around it in event time: by default those of the last `period`, up to and with the row. As Polars' own
   * groupByRolling over the rows in the order of event time, however they came: a row waits until event time has passed the end of its window
   * and `grace`; a row that is older than that when it comes is late, and left out.
   * @throws Refusal `BAD_DURATION`, `NOT_EVENT_TIME`, `NO_EXACT_STREAMING_MEANING`
   * @example
   * phone.groupByRolling({ indexColumn: "timestamp", by: "device", period: "10s" }).agg(pl.col("gForceX").mean().alias("mean10s"))
   * // device  timestamp                            mean10s
   * // a       1970-01-01T00:00:00Z                     0.5
   * // b       1970-01-01T00:00:00.400Z                   3
   * // a       1970-01-01T00:00:00.900Z                 1.5
   * // a       1970-01-01T00:00:01.500Z  0.6666666666666666
   */
  groupByRolling(options: GroupByRollingOptions): StreamWindows {
    return groupByRolling(this.node, options, (node) => new StreamFrame(node));
  }

  /**
   * The rows that came too late for the windows of this frame: each row once, with the starts of the windows it missed in `missed_windows`
   * (a list of datetimes; rows of rolling windows miss none, and have no such column). To be called on what `agg(…)` gave.
   * @throws Refusal `NO_WINDOWS`
   * @example
   * const perSecond = phone.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.len().alias("n"));
   * perSecond.late().to("late-records")
   * // device  timestamp                 gForceX  gForceY  missed_windows
   * // b       1970-01-01T00:00:00.700Z        1        1  ["1970-01-01T00:00:00.000Z"]
   */
  late(): StreamFrame {
    return new StreamFrame(lateRows(this.node));
  }

  /**
   * Declares that these rows go to a topic. A job writes them; in a notebook only `.run()` on the result does.
   * @throws Refusal `NO_TOPIC`, `UNKNOWN_FORMAT`
   * @example
   * ticks.filter(pl.col("price").gt(10)).to("high-prices", { key: "symbol", value: ["symbol", "price"] })
   * // symbol  price
   * // XYZ        11
   * // XYZ        12
   */
  to(topic: string, options: SinkOptions = {}): Sink {
    const { key, format = "json", value, delete: remove } = options;
    if (typeof topic !== "string" || topic === "")
      throw new Refusal({ code: "NO_TOPIC", what: ".to() was given no topic name", remedies: ['.to("crash-alerts")'] });
    checkFormat(format, `.to("${topic}")`);
    const tombstone = remove === undefined ? undefined : tree(remove);
    if (tombstone !== undefined) checkFilter(tombstone, { verb: "to", input: this.node });
    const content = {
      input: this.node,
      topic,
      ...(key !== undefined && { key }),
      format,
      ...(value && { value: Object.freeze([...value]) }),
      ...(tombstone && { delete: tombstone }),
    } as const;
    const sink = sinkNode({ id: contentId(topic, { ...content, input: contentKey(this.node) }), ...content });
    return new Sink(declareSink(sink));
  }

  /**
   * Declares that these rows go to a table that SQL reads. With `key` it holds the last row per key, without all rows; rows that are updates
   * (`groupBy`, `emit: "update"`) replace the one of their key. In a notebook `.run()` writes the table of the session anew, for `sql`; in a
   * job the table is state: kept with every checkpoint, restored, read by `millrace state`.
   * @throws Refusal `NO_TABLE`, `NO_KEY`, `NOT_BUILT`
   * @example
   * await perSecond.toTable("per_second").run();
   * await sql`SELECT device, max(n) FROM per_second GROUP BY device`
   */
  toTable(name: string, options: ToTableOptions = {}): FileSink {
    return toTable(this.node, name, options);
  }

  /**
   * Declares that these rows go to Parquet files of a folder (relative to the notebook's): `.run()` on the result writes one per partition, whole or
   * not at all, named `topic-partition-from-to.parquet` by the offsets read (`to` not included). A range that holds an earlier one replaces its files.
   * A job adds one per partition and checkpoint, `job-partition-number.parquet`, each row once (docs/decisions/065-files-of-checkpoints.md).
   * @throws Refusal `NO_FOLDER`, `NO_EXACT_STREAMING_MEANING`, `NOT_BUILT`; `.run()`: `RANGES_OVERLAP`
   * @example
   * await moving.toParquet("moving").run({ from: "-1d" })
   */
  toParquet(folder: string): FileSink {
    return toParquet(this.node, folder);
  }

  /** Reads a bounded range (default: from the earliest record to the end as of now) into a frame. Of a table: its rows then, one per key. */
  async collect(options: CollectOptions = {}): Promise<polars.DataFrame> {
    const table = tableRows(this.node);
    if (table === undefined) return await driver().collect(this.node, options);
    return table.newest(await driver().collect(table.changes, options));
  }

  /** A frame that keeps up with the topic. */
  live(options: LiveOptions = {}): LiveFrame {
    return driver().live(this.node, options);
  }

  /** A live chart. */
  plot(options: PlotOptions = {}): LiveFrame {
    const plot = driver().plot;
    if (plot === undefined)
      throw new Refusal({ code: "NOT_BUILT", what: "plot() is not built yet", remedies: ["use live()"] });
    return plot.call(driver(), this.node, options);
  }

  /** The rows batch by batch, as they arrive. */
  batches(options: BatchesOptions = {}): AsyncIterable<polars.DataFrame> {
    return driver().batches(this.node, options);
  }

  /**
   * What the columns of a bounded range hold: dtypes, nulls, distinct values, ranges, the most frequent value and its share (of a key: its skew), and
   * values a second of event time. A frame with a row per column.
   * @example
   * await phone.profile({ from: "-10m" })
   */
  profile(options: ProfileOptions = {}): Promise<polars.DataFrame> {
    return profile(this.node, options);
  }

  /**
   * Why a row is here: a smallest set of records over which the plan gives it, found by running the plan over fewer and fewer of them. A row as
   * `toRecords()` gives it, or only the columns that tell it from others. A frame with a row per record: topic, partition, offset, time, key, needed
   * (without it the row would not be there), value.
   * @throws Refusal `UNKNOWN_COLUMN`, `TOO_MANY_RECORDS`; MillraceError `NO_SUCH_ROW`
   * @example
   * await perSecond.trace({ device: "a", n: 3 }, { from: "-10m" })
   */
  async trace(row: Readonly<Record<string, unknown>>, options: TraceOptions = {}): Promise<polars.DataFrame> {
    const { trace } = driver();
    if (trace === undefined)
      throw new Refusal({ code: "NOT_BUILT", what: "rows are traced in a notebook only", where: "trace" });
    return await trace(this.node, row, options);
  }

  /**
   * How late rows come, and how many each grace would lose: a frame with a row per grace, for the topics this frame is made of. With `every`, for
   * windows of that length.
   * @throws Refusal `BAD_DURATION`, `BAD_OPTION`
   * @example
   * await sensor.lateness({ every: "10s" })
   */
  lateness(options: LatenessOptions = {}): Promise<polars.DataFrame> {
    return lateness(this.node, options);
  }

  /**
   * What runs: verbs, the state each keeps and by which keys, windows and watermarks. As text, as a Mermaid flowchart, or as a picture in the notebook.
   * @example
   * perSecond.explain({ as: "picture" })
   */
  explain(options?: { readonly as?: "text" | "mermaid" }): string;
  explain(options: { readonly as: "picture" }): PlanPicture;
  explain(options: ExplainOptions = {}): string | PlanPicture {
    return explanation(this.node, options);
  }

  /** Names and dtypes of the columns. Reads a sample of the topic where no schema was given. */
  get schema(): Promise<Schema> {
    return driver().schema(this.node);
  }

  [Symbol.for("Jupyter.display")](): unknown {
    return display(this.node);
  }
}
