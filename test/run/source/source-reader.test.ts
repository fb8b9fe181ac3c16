import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { sourceNode } from "../../../lib/plan/nodes/source-node.ts";
import { rowsSchema, SourceReader } from "../../../lib/run/source/index.ts";
import { recordColumns } from "../../support/records.ts";

const wire = { device: "Utf8", x: "Float64", y: "Utf8", ts: "Datetime(s)" };
const node = sourceNode({ id: "s", topics: ["t"], format: "json", key: "device", time: "ts" });
const reader = (columns: string[], needsHeaders = false) =>
  new SourceReader({ id: "s", node, schema: rowsSchema(node, wire), columns, needsHeaders }, wire);

test("records become rows with metadata; the record key wins and differences are counted", () => {
  const source = reader(["device", "x"]);
  const values = ['{"device":"a","x":1,"ts":10}', '{"device":"b","x":2,"ts":11}', '{"x":3,"ts":12.5}'];
  const columns = recordColumns(values, { keys: ["a", "c", null], firstOffset: 100 });
  const { frame, bad } = source.read({ topic: "t", partition: 3, columns });
  assert.deepEqual(frame.columns, ["device", "x", "_key", "_time", "_partition", "_offset"]);
  assert.deepEqual(frame.getColumn("device").toArray(), ["a", "c", null]);
  assert.deepEqual(frame.getColumn("_time").cast(pl.Int64).toArray().map(Number), [10_000, 11_000, 12_500]);
  assert.deepEqual(frame.getColumn("_offset").toArray().map(Number), [100, 101, 102]);
  assert.deepEqual(bad, []);
  assert.deepEqual(source.counts, { records: 3, bad: 0, unknownFields: 0, keyDifferences: 1 });
});

test("columns keep their names, also an empty one and those that a frame has members of", () => {
  const names = { device: "Utf8", "": "Float64", height: "Float64", columns: "Utf8", column_0: "Float64" };
  const source = {
    id: "s",
    node,
    schema: rowsSchema(node, { ...wire, ...names }),
    columns: Object.keys(names),
    needsHeaders: false,
  };
  const columns = recordColumns(['{"":1,"height":2,"columns":"c","column_0":3,"ts":1}'], { keys: ["a"] });
  const { frame, bad } = new SourceReader(source, { ...wire, ...names }).read({ topic: "t", partition: 0, columns });
  assert.deepEqual(bad, []);
  assert.deepEqual(frame.columns, [...Object.keys(names), "_key", "_time", "_partition", "_offset"]);
  assert.deepEqual(frame.row(0).slice(0, 5), ["a", 1, 2, "c", 3]);
});

test("what cannot become a row is a bad record with its place and its reason", () => {
  const values = ['{"x":"no","ts":1}', '{"x":1}', '{"x":1,"ts":1}', '{"x":1,"ts":1,"y":[1]}', null];
  const columns = recordColumns(values, {
    keys: ["a", "b", Buffer.from([0xff]), "d", "e"],
    firstOffset: 7,
    timestamps: [1, 2, 3, 4, 5],
  });
  const { frame, bad } = reader(["x"]).read({ topic: "t", partition: 1, columns });
  assert.deepEqual(frame.getColumn("_key").toArray(), ["d"]);
  assert.deepEqual(
    bad.map(({ topic, partition, offset, timestamp, reason }) => [topic, partition, offset, timestamp, reason]),
    [
      ["t", 1, 7, 1, 'x: "no" is not a Float64'],
      ["t", 1, 8, 2, "ts: no event time"],
      ["t", 1, 9, 3, "the record key is not UTF-8"],
      ["t", 1, 11, 5, "null value (tombstone)"],
    ],
  );
  assert.equal(Buffer.from(bad[0]!.value!).toString(), values[0]);
  assert.equal(bad[3]!.value, null);
});

test("an event time beyond the years 1 to 9999 makes a bad record, from the value or from the record itself", () => {
  const [last, first] = ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z"].map((text) => Date.parse(text)) as [
    number,
    number,
  ];
  const times = [last, last + 1, 1.7e15, first, first - 1, 9e18];
  const timed = sourceNode({ id: "s", topics: ["t"], format: "json", time: "at" });
  const schema = { at: "Datetime(ms)" };
  const program = { id: "s", node: timed, schema: rowsSchema(timed, schema), columns: ["at"], needsHeaders: false };
  const read = (source: SourceReader, columns: ReturnType<typeof recordColumns>) => {
    const { frame, bad } = source.read({ topic: "t", partition: 0, columns });
    return [frame.getColumn("_offset").toArray().map(Number), bad.map(({ offset }) => offset)];
  };
  const values = times.map((at) => JSON.stringify({ at }));
  assert.deepEqual(read(new SourceReader(program, schema), recordColumns(values)), [
    [0, 3],
    [1, 2, 4, 5],
  ]);
  const plain = sourceNode({ id: "s", topics: ["t"], format: "json" });
  const untimed = { id: "s", node: plain, schema: { x: "Int64" }, columns: ["x"], needsHeaders: false };
  const columns = recordColumns(['{"x":1}', '{"x":2}'], { timestamps: [1, 1.7e15] });
  assert.deepEqual(read(new SourceReader(untimed, { x: "Int64" }), columns), [[0], [1]]);
});

test("the key column is added when the value lacks it, and headers come where they are needed", () => {
  const keyed = sourceNode({ id: "s", topics: ["t"], format: "json", key: "id" });
  const schema = rowsSchema(keyed, { x: "Int64" });
  assert.deepEqual(schema, { id: "Utf8", x: "Int64" });
  const source = new SourceReader(
    { id: "s", node: keyed, schema, columns: ["id"], needsHeaders: true },
    { x: "Int64" },
  );
  const headers = [[{ key: Buffer.from("h"), value: Buffer.from("v") }], undefined];
  const columns = { ...recordColumns(['{"x":1}', '{"x":2}'], { keys: ["5", "6"] }), headers };
  const { frame } = source.read({ topic: "t", partition: 0, columns });
  assert.deepEqual(frame.getColumn("id").toArray(), ["5", "6"]);
  assert.deepEqual(frame.select("_headers").toRecords(), [{ _headers: [{ key: "h", value: "v" }] }, { _headers: [] }]);
});

test("a time column that is not there or no time is refused", () => {
  assert.throws(() => rowsSchema(node, { x: "Float64" }), { code: "UNKNOWN_TIME_COLUMN" });
  assert.throws(() => rowsSchema(node, { ts: "Boolean" }), { code: "NOT_A_TIME" });
});

test("a batch without records, or without good ones, is a frame without rows", () => {
  for (const values of [[], [null, "[]"]]) {
    const { frame } = reader(["device", "x"]).read({ topic: "t", partition: 2, columns: recordColumns(values) });
    assert.deepEqual([frame.height, frame.columns.length], [0, 6]);
    assert.deepEqual(
      frame.dtypes.map(String),
      reader(["device", "x"])
        .read({ topic: "t", partition: 2, columns: recordColumns(['{"x":1,"ts":1}']) })
        .frame.dtypes.map(String),
    );
  }
});
