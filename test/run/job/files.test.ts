import assert from "node:assert/strict";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { readState } from "../../../lib/run/job/read-state.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import {
  connect,
  type JobUnderTest,
  jobUnderTest,
  type Phone,
  phones,
  produce,
  temporaryFolder,
  untilOpened,
} from "./support.ts";

const START = 1_700_000_000_000;

/** An outside reader. */
async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const rows = await (await connection.runAndReadAll(sql)).getRowsJson();
    return rows.map((row) =>
      row.map((cell) => (typeof cell === "string" && /^-?\d+$/.test(cell) ? Number(cell) : cell)),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

interface FilesJob extends JobUnderTest {
  readonly files: string;
}

async function filesJob(plans: string, guarantee?: string): Promise<FilesJob> {
  const made = await jobUnderTest(await connect(), { script: "files-job.ts", plans, ...(guarantee && { guarantee }) });
  const files = await temporaryFolder();
  return {
    ...made,
    files,
    start: (args, env) => made.start(args, { MILLRACE_FILES_DIR: files, ...env }),
    toEnd: (env) => made.toEnd({ MILLRACE_FILES_DIR: files, ...env }),
  };
}

/** Numbered from 0 per partition, without gaps, and nothing else. */
async function assertNames(folder: string, job: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  const soFar = new Map<string, number>();
  for (const name of names) {
    const [, partition, number] = /^(\d+)-(\d{8})\.parquet$/.exec(name.slice(job.length + 1)) ?? [];
    assert.ok(name.startsWith(`${job}-`) && partition !== undefined, name);
    assert.equal(Number(number), soFar.get(partition) ?? 0, name);
    soFar.set(partition, Number(number) + 1);
  }
  return names;
}

const rowsOf = (list: readonly Phone[]) =>
  list
    .filter(({ n }) => n % 3 !== 0)
    .map(({ device, n }) => [device, n])
    .sort(byNumber);
const byNumber = (a: readonly unknown[], b: readonly unknown[]) => Number(a.at(-1)) - Number(b.at(-1));

/** Sums per window that is closed by the largest time of all that its rows are read with. */
function windows(list: readonly Phone[], key: (phone: Phone) => string | number, reached: (phone: Phone) => number) {
  const sums = new Map<string, number>();
  for (const phone of list) {
    const start = Math.floor(phone.timestamp / 1000) * 1000;
    if (start + 2000 > reached(phone)) continue;
    const name = `${key(phone)} ${start}`;
    sums.set(name, (sums.get(name) ?? 0) + phone.n);
  }
  return [...sums].map(([name, sum]) =>
    [...name.split(" "), sum].map((cell) => (/^\d+$/.test(String(cell)) ? Number(cell) : cell)),
  );
}

for (const guarantee of ["exactly-once", "at-least-once"])
  test(`toParquet in a job, ${guarantee}: every row once over kill -9 at random, read by DuckDB`, {
    timeout: 240_000,
  }, async (t) => {
    const seed = newSeed();
    t.diagnostic(`seed ${seed}`);
    const random = seeded(seed);
    const cluster = await connect();
    const job = await filesJob("rows,windows,anew", guarantee);
    const turns = process.env.MILLRACE_LONG_TESTS === "1" ? 6 : 2;
    const list = phones(turns * 1000, 7, random, START);
    for (let turn = 0; turn < turns; turn++) {
      const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "50ms" });
      await untilOpened(run);
      for (let part = 0; part < 5; part++) {
        await produce(cluster, job.input, list.slice(turn * 1000 + part * 200, turn * 1000 + part * 200 + 200));
        await new Promise((resolve) => setTimeout(resolve, random() * 150));
      }
      run.child.kill("SIGKILL");
      await run.ended;
    }
    await job.toEnd();
    // closes what is open, in every partition
    await produce(cluster, job.input, phones(70, 7, random, START + 60_000, 10_000));
    await job.toEnd();
    const all = [...list, ...phones(70, 7, seeded(0), START + 60_000, 10_000)];
    await assertNames(path.join(job.files, "rows"), job.name);
    const read = (folder: string, columns: string) =>
      query(`SELECT ${columns} FROM read_parquet('${path.join(job.files, folder)}/*.parquet')`);
    assert.deepEqual((await read("rows", "device, n")).sort(byNumber), rowsOf(all));
    const closed = START + 60_000; // of the last readings only what is before them
    const window = "epoch_ms(window_start)";
    const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join(" ")).sort();
    assert.deepEqual(
      sorted(await read("deep/windows", `device, ${window}, sum`)),
      sorted(
        windows(
          list,
          ({ device }) => device,
          () => closed,
        ),
      ),
    );
    assert.deepEqual(
      sorted(await read("anew", `bucket, ${window}, sum`)),
      sorted(
        windows(
          list,
          ({ n }) => n % 5,
          () => closed,
        ),
      ),
    );
    const columns = await query(`DESCRIBE SELECT * FROM read_parquet('${path.join(job.files, "rows")}/*.parquet')`);
    assert.deepEqual(
      columns.map(([name, type]) => [name, type]),
      [
        ["device", "VARCHAR"],
        ["n", "BIGINT"],
        ["_offset", "BIGINT"],
      ],
    );
  });

test("a file that was committed and not named yet gets its name, one that was not goes; the state decides, also from its changelog", async () => {
  const cluster = await connect();
  const job = await filesJob("rows");
  const list = phones(300, 5, seeded(1), START);
  await produce(cluster, job.input, list);
  await job.toEnd();
  const folder = path.join(job.files, "rows");
  const before = await assertNames(folder, job.name);
  const drafts = (await readState(job.stateDir, "SELECT draft FROM parquet")).rows.map(([draft]) => draft as string);
  assert.equal(drafts.length, before.length);
  // as if killed between the transaction and the names; and as if killed before a transaction
  for (const [i, name] of before.entries()) {
    const draft = drafts.find((one) => one.includes(name))!;
    await rename(path.join(folder, name), path.join(folder, draft));
    await writeFile(path.join(folder, `.${job.name}-${i}-00000001.parquet.none.draft`), "never committed");
  }
  await job.toEnd({ MILLRACE_STATE_DIR: path.join(await temporaryFolder(), "state") });
  assert.deepEqual(await assertNames(folder, job.name), before);
  assert.deepEqual(
    (await query(`SELECT device, n FROM read_parquet('${folder}/*.parquet')`)).sort(byNumber),
    rowsOf(list),
  );
});

test("files of an earlier run are not added to; a rebuild and a moved file do not disturb", async () => {
  const cluster = await connect();
  const job = await filesJob("rows,windows");
  const list = phones(600, 5, seeded(2), START);
  await produce(cluster, job.input, list.slice(0, 300));
  await job.toEnd();
  const folder = path.join(job.files, "rows");
  const [first] = await assertNames(folder, job.name);

  const reset = await (await job.start(["--reset", "--yes", "--until", "end"])).ended;
  assert.equal(reset.code, 2, reset.stderr);
  assert.match(
    reset.stderr,
    /-00000000\.parquet is there[\s\S]*earlier run[\s\S]*rows[\s\S]*move[\s\S]*MILLRACE_FILES_DIR/,
  );
  await rm(job.files, { recursive: true });
  await job.toEnd();

  await rename(path.join(folder, first!), path.join(job.files, "taken.parquet")); // by who works on files as they come
  await produce(cluster, job.input, list.slice(300));
  const rebuilt = await (await job.start(["--rebuild", "--yes", "--until", "end"])).ended;
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  const all = `read_parquet(['${folder}/*.parquet', '${path.join(job.files, "taken.parquet")}'])`;
  assert.deepEqual((await query(`SELECT device, n FROM ${all}`)).sort(byNumber), rowsOf(list));
});

test("two sinks of one folder, a folder that cannot be made: said at once", async () => {
  const cluster = await connect();
  const twice = await filesJob("rows,twice");
  const { code, stderr } = await (await twice.start(["--until", "end"])).ended;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /two sinks of the program write to this folder[\s\S]*toParquet\("rows"\)/);

  const job = await filesJob("rows");
  await produce(cluster, job.input, phones(10, 2, seeded(3), START));
  await writeFile(path.join(job.files, "rows"), "a file");
  const run = await job.start(["--until", "end"]);
  await until("told", () => /cannot be written/.test(run.stderr()), 60_000);
  await rm(path.join(job.files, "rows"));
  assert.equal((await run.ended).code, 0, run.stderr()); // it tries again
  await assertNames(path.join(job.files, "rows"), job.name);
});
