import assert from "node:assert/strict";
import { test } from "node:test";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { columnsRead } from "../../lib/plan/columns-read.ts";
import { type PlanNode, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const SOURCE = [
  "topic phones (json)",
  '  event time: column "t"',
  '  record key: column "device"',
  "  schema: inferred from a sample",
  "  watermark: the largest event time so far, over every valid record, before any filter",
];
const PARTITIONS =
  "  partitions: one task each; keyed verbs have the record key among their keys, so that nothing is repartitioned";

const programs: readonly [string, { readonly node: PlanNode; explain(): string }, readonly string[]][] = [
  [
    "row-wise verbs",
    phones.filter(x.gt(2)).select("device", x.abs().alias("y")).explode("y"),
    [
      ...SOURCE,
      "  columns read: device, x, t; the others are not decoded",
      PARTITIONS,
      '  filter pl.col("x").gt(2)',
      '    select pl.col("device"), pl.col("x").abs().alias("y")',
      "      explode y",
    ],
  ],
  [
    "state per key",
    phones.withColumns(x.diff(1, "ignore").over("device").alias("d")),
    [
      ...SOURCE,
      "  columns read: all of them",
      PARTITIONS,
      '  withColumns pl.col("x").diff(1, "ignore").over(pl.col("device")).alias("d")',
      '    state: one row per key (pl.col("device")) for pl.col("x").diff(1, "ignore"); grows with the number of keys; no horizon',
    ],
  ],
  [
    "windows",
    phones.groupByDynamic({ indexColumn: "t", every: "1s", by: "device", grace: "5s" }).agg(x.median().alias("m")),
    [
      ...SOURCE,
      "  columns read: device, x, t; the others are not decoded",
      PARTITIONS,
      '  groupByDynamic tumbling 1s of "t" by pl.col("device")',
      '    agg pl.col("x").median().alias("m")',
      '    state: one row per key and open window (pl.col("device")); grows with keys times open windows',
      '    state: every row of open windows, for pl.col("x").median(); grows with the rows in them',
      "    closes: when the partition's watermark reaches the end of a window and 5s of grace; later rows are counted as late",
      "    gives: one row per window, when it closes",
    ],
  ],
  [
    "late rows",
    phones.groupByDynamic({ indexColumn: "t", every: "1s", period: "3s", by: "device" }).agg(pl.len()).late(),
    [
      ...SOURCE,
      "  columns read: all of them",
      PARTITIONS,
      "  late rows of windows of 3s every 1s, with their missed_windows",
      "    state: none",
    ],
  ],
  [
    "running groups and a sink",
    phones.groupBy("device").agg(x.sum().alias("sum")).to("explained", { key: "device" }),
    [
      ...SOURCE,
      "  columns read: device, x, t; the others are not decoded",
      PARTITIONS,
      '  groupBy pl.col("device")',
      '    agg pl.col("x").sum().alias("sum")',
      '    state: one row per key (pl.col("device")); grows with the number of keys; no horizon (give ttl)',
      "    gives: the key's row after every batch that changed it; the last one is exact",
      "    to explained (json)",
      '      key: column "device"',
      "      value: every column except metadata",
    ],
  ],
  [
    "unique rows",
    phones.unique({ subset: ["device", "x"], within: "90s" }).unnest("st"),
    [
      ...SOURCE,
      "  columns read: all of them",
      PARTITIONS,
      "  unique by device, x within 90s, the first row kept",
      "    state: one row per combination of device, x seen in the last 90s of event time",
      "    unnest st",
    ],
  ],
];

for (const [name, frame, lines] of programs)
  test(`explained: ${name}`, () => assert.equal(frame.explain(), lines.join("\n")));

const SCHEMA = { device: "Utf8", t: "Datetime(ms)", x: "Float64", y: "Float64", st: "Struct{u:Int64}", unused: "Utf8" };

for (const [name, { node }] of programs)
  test(`the columns said to be read are those of the compiled program: ${name}`, () => {
    const said = columnsRead(node);
    if (said === "all") return;
    const list = name === "row-wise verbs" ? { ...SCHEMA, x: "List(Float64)" } : SCHEMA;
    const plain =
      name === "row-wise verbs" ? phones.filter(pl.col("y").gt(2)).select("device", "x").explode("x").node : node;
    const { columns } = compile([plain], new Map([[sourcesOf([plain])[0]!.id, list]])).sources[0]!;
    assert.deepEqual([...columns].sort(), [...(columnsRead(plain) as string[])].sort());
  });
