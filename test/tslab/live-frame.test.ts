// The library without the Millrace kernel: in the stock kernel of another project, installed from npm as its users have it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { unpack } from "../../kernel/promote/job/unpack.ts";
import { libraryManifest, vendoredMillrace } from "../../kernel/promote/job/vendor.ts";
import { stdout, TestKernel } from "../kernel/test-kernel.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { startFeed } from "../support/feed.ts";
import { installedTslab } from "./installed-tslab.ts";

const topic = uniqueName("tslab");
let folder: string;
let feed: Awaited<ReturnType<typeof startFeed>>;
let tslab: TestKernel;

before(async () => {
  const main = await installedTslab();
  const servers = await sharedBroker();
  feed = await startFeed(servers, topic, { rate: 100 });
  folder = await mkdtemp(path.join(tmpdir(), "millrace-tslab-"));
  await installLibrary(path.join(folder, "node_modules"));
  await symlink(path.resolve(main, "../../../@types"), path.join(folder, "node_modules", "@types"));
  tslab = await TestKernel.start({
    folder,
    command: (connection) => [main, "kernel", `--config-path=${connection}`],
    env: { KAFKA_BOOTSTRAP_SERVERS: servers },
  });
});
after(async () => {
  await tslab?.[Symbol.asyncDispose]();
  await feed?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** `millrace` as a job installs it: compiled, with its declarations; what it depends on is what this repository has. */
async function installLibrary(modules: string): Promise<void> {
  const { bytes, fileName } = await vendoredMillrace();
  await mkdir(modules, { recursive: true });
  const archive = path.join(modules, fileName);
  await writeFile(archive, bytes);
  await unpack(archive, path.join(modules, "millrace"));
  const { dependencies } = await libraryManifest();
  for (const name of Object.keys(dependencies)) {
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(path.resolve(import.meta.dirname, "../../node_modules", name), path.join(modules, name));
  }
}

const execute = async (code: string) => tslab.ran(await tslab.send("execute_request", { code }), 60_000);

/** Runs a cell; this kernel tells of errors on stderr only. */
async function run(code: string) {
  const ran = await execute(code);
  const errors = stripVTControlCharacters(stdout(ran.published, "stderr"));
  assert.equal(ran.reply.content.status, "ok", errors);
  return { ...ran, printed: stripVTControlCharacters(stdout(ran.published)) };
}

async function fails(code: string, says: RegExp) {
  const { reply, published } = await execute(code);
  assert.equal(reply.content.status, "error");
  assert.match(stripVTControlCharacters(stdout(published, "stderr")), says);
  await new Promise((resolve) => setTimeout(resolve, 300)); // this kernel aborts what comes within 200 ms of a failure
}

test("a live frame runs in stock tslab: typed cells, rows that go on coming, a table it shows and updates", async () => {
  await run('import { topic, pl } from "millrace"; import * as tslab from "tslab";');
  await run(`const phone = topic("${topic}", { key: "device", time: "timestamp" });
    const total = phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).alias("total"),
      pl.col("gForceX").diff(1, "ignore").over("device").alias("delta"));
    const live = total.live({ from: "earliest", keep: 500 });`);
  // Types reach its compiler, which is an old one.
  await fails("const wrong: string = live.df.height;", /Type 'number' is not assignable to type 'string'/);

  const shown = await run(`const show = tslab.newDisplay();
    const html = () => (live as any)[Symbol.for("Jupyter.display")]()["text/html"];
    while (live.df.height < 20) await new Promise((r) => setTimeout(r, 50));
    show.html(html()); console.log(live.df.columns.join(), live.status.state);`);
  assert.match(shown.printed, /gForceX[\w,]*total,delta reading/);
  const [first] = shown.published.filter(({ header }) => header.msg_type === "display_data");
  assert.match(first!.content.data["text/html"], /<th[^>]*>delta/);

  const updated = await run(`const before = live.status.rowsIn;
    while (live.status.rowsIn < before + 50) await new Promise((r) => setTimeout(r, 50));
    show.html(html()); console.log(live.status.rowsIn > before);`);
  assert.equal(updated.printed.trim(), "true");
  const [update] = tslab.published.filter(({ header }) => header.msg_type === "update_display_data");
  assert.notEqual(update!.content.data["text/html"], first!.content.data["text/html"]);

  // The differences are those of static Polars over the same rows.
  const checked = await run(`await live.stop();
    const again = live.df.drop("delta").withColumns(pl.col("gForceX").diff(1, "ignore").over("device").alias("delta"));
    const same = live.df.getColumn("delta").toArray().map((d: any, i: number) => [d, again.getColumn("delta").toArray()[i]] as const);
    console.log(same.filter(([a, b]) => b !== null && a !== b).length, live.status.state);`);
  assert.equal(checked.printed.trim(), "0 stopped");
});

test("a bounded read gives a frame, and what has no exact meaning is refused with the way out", async () => {
  const { printed } = await run(
    'const some = await phone.collect({ until: 40 }); console.log(some.height, some.columns.includes("gForceX"));',
  );
  assert.equal(printed.trim(), "40 true");
  await fails('phone.select(pl.col("gForceX").mean())', /what to do:/);
});
