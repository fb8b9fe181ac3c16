import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import type { Sink } from "../../lib/frame/sink.ts";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { pl, topic } from "../../lib/index.ts";
import { PackedBatch } from "../../lib/operators/packed-batch.ts";
import { compile } from "../../lib/operators/program.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { rowsSchema, type SourceBatch, SourceReader } from "../../lib/run/source/index.ts";
import { emptyFrame } from "../../lib/schema.ts";
import { columnsOf } from "../log/records.ts";
import { newSeed, seeded } from "../support/seeded.ts";
import { runs } from "./random-rows.ts";
import { assertFramesEqual, memoryStores } from "./run-program.ts";

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);
const below = (limit: number) => Math.floor(random() * limit);

const WIRE = { channel: "Int32", group: "UInt8", at: "Datetime(ms)", value: "Float32", exact: "Float64", n: "Int16" };
const START = 1_767_225_600_000;

interface Message {
  readonly key: string | null;
  readonly timestamp: number;
  readonly value: Buffer;
}

/** Messages as control units send them: runs of a channel, times that rise with some disorder, some far behind. */
function messages(count: number): Message[] {
  let now = START;
  return Array.from({ length: count }, () => {
    const rows = 20 + below(200);
    now += below(600);
    const behind = random() < 0.2 ? below(5000) : 0;
    const length = 1 + below(40);
    const number = Float64Array.from({ length: rows }, () => (random() < 0.02 ? Number.NaN : below(4000) / 64 - 30));
    const frame = polars.DataFrame([
      polars.Series(
        "channel",
        Int32Array.from({ length: rows }, (_, i) => Math.floor(i / length) % 3),
      ),
      polars.Series(
        "group",
        Uint8Array.from({ length: rows }, (_, i) => Math.floor(i / (2 * length))),
      ),
      polars
        .Series(
          "at",
          Float64Array.from({ length: rows }, (_, i) => now - behind + (i % length) * 3 + below(20)),
        )
        .cast(polars.Int64)
        .cast(polars.Datetime("ms")),
      polars.Series("value", Float32Array.from(number)),
      polars.Series("exact", number),
      polars.Series(
        "n",
        Int16Array.from({ length: rows }, () => below(2000) - 1000),
      ),
    ]);
    return {
      key: random() < 0.1 ? null : `unit-${below(3)}`,
      timestamp: now,
      value: frame.writeIPCStream({ compression: "uncompressed" }),
    };
  });
}

const [value, exact, n] = ["value", "exact", "n"].map((name) => pl.col(name)) as [
  polars.Expr,
  polars.Expr,
  polars.Expr,
];
const SIMPLE = [
  pl.len().alias("rows"),
  value.mean().alias("mean"),
  value.min().alias("min"),
  value.max().alias("max"),
  value.sum().alias("sum"),
  exact.sum().alias("exact_sum"),
  exact.var().alias("var"),
  exact.std().alias("std"),
  exact.count().alias("count"),
  n.min().alias("n_min"),
  n.mean().alias("n_mean"),
  n.first().alias("n_first"),
  value.last().alias("last"),
  n.max().minus(n.min()).alias("range"),
  pl.col("at").max().alias("latest"),
  pl.col("at").first().alias("first_at"),
];

type Car = ReturnType<typeof topic>;
type Windows = Parameters<Car["groupByDynamic"]>[0];

function windows(car: Car, options: Partial<Windows>, aggs: polars.Expr[] = SIMPLE): StreamFrame {
  return car.groupByDynamic({ indexColumn: "at", every: "1s", by: ["unit", "channel"], ...options }).agg(...aggs);
}

/** The source of a program, and two tasks of it over equal state. */
async function opened(frame: StreamFrame | Sink) {
  const [node] = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map([[node!.id, rowsSchema(node!, WIRE)]]));
  const source = program.sources[0]!;
  return {
    source,
    reader: new SourceReader(source, WIRE),
    schema: program.terminals[0]!.schema,
    packed: await program.open(memoryStores()),
    rows: await program.open(memoryStores()),
  };
}

function read(reader: SourceReader, list: readonly Message[], first: number): SourceBatch {
  const columns = columnsOf(list);
  const offsets = Float64Array.from(list, (_, i) => first + i);
  return reader.read({ topic: "car", partition: 2, columns: { ...columns, offsets } });
}

/** Packed batches of which nobody may make rows. */
const withoutRows = (batch: PackedBatch): PackedBatch =>
  new PackedBatch(batch.records, () => {
    throw new Error("a frame was made");
  });

/** Runs the same messages through both tasks, packed and as rows, in batches of any size. */
async function compare(frame: StreamFrame, list: readonly Message[], what: string, rowless: boolean): Promise<number> {
  const { source, reader, schema, packed, rows } = await opened(frame);
  const made: [polars.DataFrame[], polars.DataFrame[]] = [[], []];
  let packedBatches = 0;
  for (let first = 0; first < list.length; ) {
    const size = 1 + below(12);
    const batch = read(reader, list.slice(first, first + size), first);
    if (batch.packed !== undefined) packedBatches++;
    const one = batch.packed === undefined ? batch.frame : rowless ? withoutRows(batch.packed) : batch.packed;
    for (const [i, task, input] of [
      [0, packed, one],
      [1, rows, batch.frame],
    ] as const) {
      const result = await task.process(new Map([[source.id, input]]));
      made[i].push(...result.rows.map((output) => output.frame));
      assert.deepEqual(result.bad, []);
    }
    assert.deepEqual(packed.counts(), rows.counts(), `${what}: counts after ${first + size} messages`);
    assert.equal(packed.watermark, rows.watermark);
    first += size;
  }
  for (const [i, task] of [packed, rows].entries()) {
    const { rows: open } = await task.openRows();
    made[i]!.push(...open.map((output) => output.frame));
  }
  const [got, wanted] = made.map((parts) => (parts.length === 0 ? emptyFrame(schema) : polars.concat(parts)));
  assertFramesEqual(got!, wanted!, what);
  assert.equal(reader.counts.records, list.length);
  assert.ok(packedBatches > 0, `${what}: some are packed`);
  return packed.counts().late ?? 0;
}

const CAR = { format: "arrow", key: "unit", time: "at", schema: WIRE } as const;

test("windows over packed records give what they give over rows, the late ones counted, and no row is made", async () => {
  let late = 0;
  for (let run = 0; run < runs(4); run++) {
    const list = messages(60);
    const car = topic("car", CAR);
    const grace = `${below(3)}s`;
    const options: readonly Partial<Windows>[] = [
      { grace },
      { every: "300ms", offset: "70ms", grace },
      { by: "unit" },
      { by: ["channel", "unit", "group"] },
      { by: "unit", grace, emit: "update" },
      { by: [pl.col("_key").alias("key"), "channel"] },
    ];
    for (const one of options)
      late += await compare(windows(car, one), list, `seed ${seed}, ${JSON.stringify(one)}`, true);
  }
  assert.ok(late > 0, `seed ${seed}: some are late`);
});

test("the record's timestamp as event time: all rows of a record are of one time", async () => {
  const car = topic("car", { format: "arrow", key: "unit", schema: WIRE });
  await compare(windows(car, { indexColumn: "_time" }), messages(80), `seed ${seed}`, true);
});

test("a record without rows says nothing about time", async () => {
  const car = topic("car", { format: "arrow", key: "unit", schema: WIRE });
  const list = messages(30).map((message, i) =>
    i % 4 === 1
      ? {
          ...message,
          timestamp: message.timestamp + 10_000_000,
          value: polars.readIPCStream(message.value).head(0).writeIPCStream({ compression: "uncompressed" }),
        }
      : message,
  );
  await compare(windows(car, { indexColumn: "_time" }), list, `seed ${seed}`, true);
  await compare(windows(topic("car", CAR), {}), list, `seed ${seed}`, true);
});

test("rows whose columns are named like what a packed batch holds are rows", async () => {
  const node = topic("car", { schema: { greatest: "Float64", rows: "Int64", frame: "Utf8" } });
  const frame = node.filter(pl.col("greatest").gt(1)).select("greatest", "rows", "frame");
  const [source] = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map([[source!.id, rowsSchema(source!, source!.schema!)]]));
  const columns = columnsOf([{ key: "a", value: '{"greatest":2,"rows":3,"frame":"x"}', timestamp: START }]);
  const reader = new SourceReader(program.sources[0]!, source!.schema!);
  const batch = reader.read({ topic: "car", partition: 0, columns: { ...columns, offsets: Float64Array.of(0) } });
  const task = await program.open(memoryStores());
  const { rows } = await task.process(new Map([[program.sources[0]!.id, batch.packed ?? batch.frame]]));
  assert.equal(rows[0]!.frame.height, 1);
});

test("what needs rows gets them", async () => {
  const list = messages(40);
  const car = topic("car", CAR);
  const [positive] = [car.filter(pl.col("value").gt(0))];
  const frames: Record<string, StreamFrame> = {
    median: windows(car, {}, [value.median().alias("m")]),
    computed: windows(car, {}, [value.abs().max().alias("m")]),
    unique: windows(car, {}, [n.nUnique().alias("u")]),
    hopping: windows(car, { period: "2s" }),
    calendar: windows(car, { every: "1mo" }),
    byFloat: windows(car, { by: ["unit", "exact"] }),
    byExpression: windows(car, { by: ["unit", pl.col("channel").modulo(2).alias("odd")] }),
    filtered: windows(positive as Car, {}),
    stateless: car.filter(n.gt(900)).select("unit", "n", "at"),
    integerSum: windows(car, {}, [n.sum().alias("sum")]),
  };
  for (const [name, frame] of Object.entries(frames)) await compare(frame, list, `seed ${seed}, ${name}`, false);
});

test("records are rows at once where one cannot be packed", async () => {
  const { reader } = await opened(windows(topic("car", CAR), {}));
  const [first, second] = messages(2) as [Message, Message];
  const broken = { ...second, value: second.value.subarray(0, 300) };
  const batch = read(reader, [first, broken], 0);
  assert.equal(batch.packed, undefined);
  assert.deepEqual(
    batch.bad.map(({ offset }) => offset),
    [1],
  );
  assert.equal(batch.frame.height, polars.readIPCStream(first.value).height);
  const beyond = polars.readIPCStream(second.value).withColumns(polars.lit(4e15).cast(polars.Int64).alias("at"));
  const far = read(reader, [{ ...second, value: beyond.writeIPCStream({ compression: "uncompressed" }) }], 2);
  assert.equal(far.packed, undefined);
  assert.match(far.bad[0]!.reason, /beyond the years 1 to 9999/);
  assert.equal(reader.counts.bad, 2);
});
