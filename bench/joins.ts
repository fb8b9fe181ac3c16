/** Joins by themselves: rows of both sides per second of processor time (all threads) through one task, batches of 20,000 rows. `node --import ./lib/polars/fast-objects.ts bench/joins.ts` */
import pl from "nodejs-polars";
import { table, topic } from "../lib/frame/index.ts";
import type { StreamFrame } from "../lib/frame/stream-frame.ts";
import { compile } from "../lib/operators/program.ts";
import { sourcesOf } from "../lib/plan/nodes/plan-node.ts";
import { schemaOf } from "../lib/schema.ts";
import { MemoryStore } from "../lib/state/memory-store.ts";
import type { KeyedStore, StoreSpec } from "../lib/state/store.ts";

const ROWS = 500_000;
const BATCH = 20_000;
const DEVICES = 1000;

/** One row a millisecond, `DEVICES` keys in turn; two topics of it are read side by side. */
function records(shift: number): pl.DataFrame {
  const n = pl
    .DataFrame({ n: Float64Array.from({ length: ROWS }, (_, i) => i) })
    .withColumns(pl.col("n").cast(pl.Int64));
  const key = pl.concatString({
    exprs: [pl.lit("device-"), pl.col("n").multiplyBy(7919).modulo(DEVICES).cast(pl.Utf8)],
    sep: "",
  } as never);
  return n.select(
    key.alias("device"),
    pl.col("n").plus(shift).cast(pl.Datetime("ms")).alias("t"),
    pl.col("n").cast(pl.Float64).alias("x"),
    key.alias("_key"),
    pl.col("n").plus(shift).cast(pl.Datetime("ms")).alias("_time"),
    pl.lit(0).cast(pl.Int32).alias("_partition"),
    pl.col("n").alias("_offset"),
  );
}

const memory = () => {
  const stores = new Map<string, KeyedStore>();
  return (spec: StoreSpec): KeyedStore => {
    const store = stores.get(spec.name) ?? new MemoryStore(spec);
    stores.set(spec.name, store);
    return store;
  };
};

async function measure(name: string, frame: StreamFrame, right: pl.DataFrame, every = 1): Promise<void> {
  const left = records(0);
  const schema = schemaOf(left.select("device", "t", "x"));
  const sources = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map(sources.map(({ id }) => [id, schema])));
  const task = await program.open(memory());
  let given = 0;
  const start = process.cpuUsage();
  for (let at = 0; at < ROWS; at += BATCH / 2) {
    const other = right.slice(at / every, BATCH / 2 / every);
    const batches = new Map(
      sources.map((source) => [source.id, source.topics[0] === "left" ? left.slice(at, BATCH / 2) : other]),
    );
    for (const { frame } of (await task.process(batches)).rows) given += frame.height;
  }
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  const rows = ROWS + right.height;
  console.log(
    `${name}: ${Math.round(rows / seconds / 1000)} thousand rows per second of processor time (${rows} in, ${given} out)`,
  );
}

const left = topic("left", { key: "device", time: "t" });
const right = topic("right", { key: "device", time: "t" });
await measure("as-of, history 10s", left.joinAsof(right, { on: "t", by: "device", history: "10s" }), records(-500));
await measure(
  "as-of forward within 2s",
  left.joinAsof(right, { on: "t", by: "device", strategy: "forward", tolerance: "2s", history: "1s" }),
  records(-500),
);
await measure("interval inner within 2s", left.join(right, { on: "device", within: "2s" }), records(-500));
await measure("interval left within 2s", left.join(right, { on: "device", within: "2s", how: "left" }), records(-500));
const changes = records(-500).filter(pl.col("_offset").modulo(10).eq(0)).withColumns(pl.lit(false).alias("_delete"));
await measure(
  "stream-table, one change per 10 rows",
  left.join(table("right", { key: "device", time: "t" }), { on: "device", how: "left" }),
  changes,
  10,
);
await measure(
  "stream-table, latest",
  left.join(table("right", { key: "device", time: "t" }), { on: "device", how: "left", latest: true }),
  changes,
  10,
);
