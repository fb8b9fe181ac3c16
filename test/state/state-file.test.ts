import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { type PartitionPosition, StateFile } from "../../lib/state/duckdb/state-file.ts";
import type { Changes } from "../../lib/state/memory-store.ts";
import type { StoreSpec } from "../../lib/state/store.ts";
import { anyFrame, cells } from "./any-frame.ts";

const folders: string[] = [];
async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), "millrace-state-"));
  folders.push(made);
  return made;
}
after(() => Promise.all(folders.map((one) => rm(one, { recursive: true, force: true }))));

const owner = { job: "job", fingerprint: "f1" };
const position: PartitionPosition = {
  offsets: { "phone-data": 7 },
  changelog: { last_row: 3 },
  watermark: 1_700_000_000_123,
  at: 1_700_000_001_000,
};
const spec: StoreSpec = { name: "last_row", key: ["device"], schema: { device: "Utf8", value: "Float64" } };
const rows = (values: [string | null, number | null][]) =>
  pl
    .DataFrame({ device: values.map((v) => v[0]), value: values.map((v) => v[1]) })
    .select(pl.col("device").cast(pl.Utf8), pl.col("value").cast(pl.Float64));
const nothing = rows([]);
const changes = (upserted: pl.DataFrame, removed: pl.DataFrame = nothing.select("device")) =>
  new Map<string, Changes>([["last_row", { upserted, removed }]]);
const held = async (file: StateFile, partition: number) => cells(await file.load("last_row", partition), spec.schema);

test("a checkpoint of several partitions changes each partition's own rows of a key, one that is whole beside others", async () => {
  const file = await StateFile.open({ folder: await folder(), owner, stores: [spec] });
  try {
    const all = (values: [string | null, number | null][]) => changes(rows(values));
    const before = [0, 1, 2].map((partition) => ({
      partition,
      position,
      changes: all([
        ["a", partition],
        [null, 10 + partition],
      ]),
    }));
    await file.commit(before);
    await file.commit([
      { partition: 0, position, changes: all([["a", 100]]) },
      { partition: 1, position, changes: changes(nothing, rows([[null, 0]]).select("device")) },
      { partition: 2, position, changes: all([["b", 102]]), whole: true },
    ]);
    const expected = [
      [
        ["a", 100],
        [null, 10],
      ],
      [["a", 1]],
      [["b", 102]],
    ] as const;
    for (const [partition, values] of expected.entries())
      assert.deepEqual(await held(file, partition), cells(rows(values.map(([k, v]) => [k, v])), spec.schema));
  } finally {
    await file.close();
  }
});

test("rows of any dtype come back exactly", async () => {
  await fc.assert(
    fc.asyncProperty(anyFrame(4), async ({ schema, frame }) => {
      const store: StoreSpec = { name: "any", key: ["key"], schema };
      const file = await StateFile.open({ folder: await folder(), owner, stores: [store] });
      try {
        await file.commit([
          {
            partition: 3,
            position,
            changes: new Map([["any", { upserted: frame, removed: frame.select("key").head(0) }]]),
          },
        ]);
        assert.deepEqual(cells(await file.load("any", 3), schema), cells(frame, schema));
        assert.deepEqual(Object.keys(schema), (await file.load("any", 3)).columns);
        assert.equal((await file.load("any", 2)).height, 0);
      } finally {
        await file.close();
      }
    }),
    { numRuns: 25 },
  );
});

test("a checkpoint replaces and removes by key, per partition, with its position; it outlives the process's handle", async () => {
  const at = await folder();
  let file = await StateFile.open({ folder: at, owner, stores: [spec] });
  await file.commit([
    {
      partition: 0,
      position,
      changes: changes(
        rows([
          ["a", 1],
          [null, 2],
          ["c", Number.NaN],
        ]),
      ),
    },
    { partition: 1, position, changes: changes(rows([["a", 10]])) },
  ]);
  await file.commit([
    {
      partition: 0,
      position: { ...position, offsets: { "phone-data": 9 } },
      changes: changes(
        rows([[null, 5]]),
        rows([
          ["c", null],
          ["zz", null],
        ]).select("device"),
      ),
    },
  ]);
  await file.close();
  file = await StateFile.open({ folder: at, owner, stores: [spec] });
  assert.deepEqual(await held(file, 0), ['"a" | "1.0"', 'null | "5.0"']);
  assert.deepEqual(await held(file, 1), ['"a" | "10.0"']);
  assert.deepEqual((await file.positions()).get(0), { ...position, offsets: { "phone-data": 9 } });
  await file.commit([{ partition: 0, position, changes: changes(rows([["whole", 1]])), whole: true }]);
  assert.deepEqual(await held(file, 0), ['"whole" | "1.0"']);
  await file.drop(0);
  assert.deepEqual(await held(file, 0), []);
  assert.deepEqual([...(await file.positions()).keys()], [1]);
  await file.close();
});

test("a failed checkpoint leaves the one before", async () => {
  const file = await StateFile.open({ folder: await folder(), owner, stores: [spec] });
  await file.commit([{ partition: 0, position, changes: changes(rows([["a", 1]])) }]);
  const wrong = pl.DataFrame({ device: ["b"], other: [1] });
  await assert.rejects(
    file.commit([
      {
        partition: 0,
        position: { ...position, offsets: { "phone-data": 99 } },
        changes: changes(rows([["a", 2]])).set("nowhere", { upserted: wrong, removed: wrong }),
      },
    ]),
  );
  assert.deepEqual(await held(file, 0), ['"a" | "1.0"']);
  assert.deepEqual((await file.positions()).get(0)?.offsets, { "phone-data": 7 });
  await file.close();
});

test("columns that differ only in case, and one named like the partition, keep apart", async () => {
  const odd: StoreSpec = { name: "odd name", key: ["Id"], schema: { Id: "Int64", id: "Int64", _partition: "Int32" } };
  const frame = pl
    .DataFrame({ Id: [1], id: [2], _partition: [3] })
    .select(pl.col("Id").cast(pl.Int64), pl.col("id").cast(pl.Int64), pl.col("_partition").cast(pl.Int32));
  const file = await StateFile.open({ folder: await folder(), owner, stores: [odd] });
  await file.commit([
    {
      partition: 0,
      position,
      changes: new Map([["odd name", { upserted: frame, removed: frame.select("Id").head(0) }]]),
    },
  ]);
  assert.deepEqual(cells(await file.load("odd name", 0), odd.schema), cells(frame, odd.schema));
  await file.close();
});

test("a file of another job is refused, one of a newer format too; one of another plan is begun anew", async () => {
  const at = await folder();
  const file = await StateFile.open({ folder: at, owner, stores: [spec] });
  await file.commit([{ partition: 0, position, changes: changes(rows([["a", 1]])) }]);
  const open = (job: string, fingerprint: string) =>
    StateFile.open({ folder: at, owner: { job, fingerprint }, stores: [spec] });
  await file.close();
  await assert.rejects(open("other", "f1"), { code: "STATE_OF_ANOTHER_JOB" });
  const anew = await open("job", "f2"); // what it goes on from, if anything, is in the changelogs
  assert.equal((await anew.positions()).size, 0);
  assert.equal(await anew.count(spec.name, 0), 0);
  await anew.close();
  await assert.rejects(
    open("job", "f1").then(async (taken) => {
      await (await taken.connect()).run("UPDATE _millrace SET value = '99' WHERE name = 'format'");
      await taken.close();
      return open("job", "f1");
    }),
    { code: "STATE_FROM_NEWER_VERSION" },
  );
});

for (const damage of ["truncated", "overwritten"] as const) {
  test(`a ${damage} file is set aside under another name and begun anew`, async () => {
    const at = await folder();
    const file = await StateFile.open({ folder: at, owner, stores: [spec] });
    const many = rows(Array.from({ length: 50_000 }, (_, i) => [`device-${i}`, Math.random()]));
    await file.commit([{ partition: 0, position, changes: changes(many) }]);
    await file.close();
    if (damage === "truncated") await truncate(file.file, 100_000);
    else await writeFile(file.file, "not a database at all".repeat(1000));
    const lines: string[] = [];
    const fresh = await StateFile.open({ folder: at, owner, stores: [spec], log: (line) => lines.push(line) });
    assert.equal((await fresh.positions()).size, 0);
    await fresh.close();
    assert.match(lines.join("\n"), /set aside/);
    assert.ok((await readdir(at)).some((name) => name.includes("unreadable")));
  });
}

test("a folder that cannot be written is a clear error", async () => {
  const at = await folder();
  await writeFile(path.join(at, "file"), "");
  await assert.rejects(StateFile.open({ folder: path.join(at, "file", "state"), owner, stores: [spec] }), {
    code: "STATE_FOLDER",
  });
  await symlink(path.join(at, "nothing"), path.join(at, "link"));
  for (const name of ["link", path.join("link", "state")])
    await assert.rejects(StateFile.open({ folder: path.join(at, name), owner, stores: [spec] }), {
      code: "STATE_FOLDER",
    });
  if (process.platform === "linux")
    await assert.rejects(StateFile.open({ folder: "/proc/millrace", owner, stores: [spec] }), { code: "STATE_FOLDER" });
  if (process.getuid?.() !== 0) {
    await chmod(at, 0o500);
    await assert.rejects(StateFile.open({ folder: path.join(at, "state"), owner, stores: [spec] }), {
      code: "STATE_FOLDER",
    });
  }
});

test("space of rows that were replaced or removed is used again", async () => {
  const at = await folder();
  const file = await StateFile.open({ folder: at, owner, stores: [spec] });
  try {
    const bytes = async () => {
      const sizes = await Promise.all((await readdir(at)).map((name) => stat(path.join(at, name))));
      return sizes.filter((one) => one.isFile()).reduce((sum, { size }) => sum + size, 0);
    };
    const batch = (n: number) => rows(Array.from({ length: 12_000 }, (_, i) => [`key-${n % 3}-${i}`, Math.sin(n + i)]));
    const round = (n: number) => changes(batch(n), batch(n + 1).select("device")); // one third replaced or come, one gone
    let early = 0;
    for (let n = 0; n < 40; n++) {
      await file.commit([{ partition: 0, position, changes: round(n) }]);
      if (n < 20) early = Math.max(early, await bytes());
    }
    const late = await bytes();
    assert.ok(late < 2 * early + 2 ** 24, `${late} bytes after 40 rounds, ${early} at most in the first 20`);
  } finally {
    await file.close();
  }
});
