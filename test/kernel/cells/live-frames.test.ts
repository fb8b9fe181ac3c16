// Live cells in a real kernel over a real topic that is being written: how they live side by side, and what ends them.
import assert from "node:assert/strict";
import { readdir, readFile, readlink } from "node:fs/promises";
import { after, before, test } from "node:test";
import { sharedBroker, uniqueName } from "../../support/broker.ts";
import { startFeed } from "../../support/feed.ts";
import { until } from "../../support/until.ts";
import { result, stdout, TestKernel } from "../test-kernel.ts";

const topic = uniqueName("live-cells");
let servers: string;
let feed: Awaited<ReturnType<typeof startFeed>>;
let kernel: TestKernel;

before(async () => {
  servers = await sharedBroker();
  feed = await startFeed(servers, topic, { rate: 100 });
  kernel = await TestKernel.start({ env: { KAFKA_BOOTSTRAP_SERVERS: servers } });
  await kernel.execute(
    `import { topic } from "millrace"; const phone = topic("${topic}", { key: "device", time: "timestamp" });`,
  );
});
after(async () => {
  await kernel?.[Symbol.asyncDispose]();
  await feed?.stop();
});

const inCell = (cellId: string) => ({ cellId });
const value = async (expression: string) => result((await kernel.execute(expression)).published);
const rows = async (name: string) => Number(await value(`${name}.status.rowsOut`));

/** A live frame of this name as the last expression of the cell. */
async function live(cell: string, name: string): Promise<string> {
  const code = `const ${name} = phone.live({ from: "earliest" }); ${name}`;
  const { reply } = await kernel.execute(code, {}, inCell(cell));
  assert.equal(reply.content.status, "ok", JSON.stringify(reply.content));
  return reply.parent.msg_id;
}

/** How many updates the outputs of an execution have had. */
const updates = (id: string) => kernel.of(id).filter(({ header }) => header.msg_type === "update_display_data").length;

async function goesOn(name: string, id: string) {
  const [shown, read] = [updates(id), await rows(name)];
  await until(`${name} to read on`, async () => (await rows(name)) > read, 10_000);
  await kernel.when(`${name} to be shown anew`, () => (updates(id) > shown ? true : undefined), 10_000);
}

test("two live cells both update, each in its own output", async () => {
  const [first, second] = [await live("one", "a"), await live("two", "b")];
  await Promise.all([goesOn("a", first), goesOn("b", second)]);
});

test("re-running a live cell closes the old one and leaves the other alone", async () => {
  const [first, second] = [await live("one", "a"), await live("two", "b")];
  await Promise.all([goesOn("a", first), goesOn("b", second)]);
  await kernel.execute("const old = a");
  const again = await live("one", "a");
  await until("the old one to stop", async () => (await value("old.status.state")) === "'stopped'", 10_000);
  await Promise.all([goesOn("a", again), goesOn("b", second)]);
  assert.equal(await value("old.status.state"), "'stopped'");
});

test("an interrupt stops its own cell; the stream of the other goes on", async () => {
  const other = await live("two", "b");
  const id = await kernel.send(
    "execute_request",
    {
      code: 'const c = phone.live({ from: "earliest" }); display(c); console.log("begun"); await new Promise(() => {})',
    },
    { metadata: inCell("three") },
  );
  await kernel.when("the cell to begin", () => (stdout(kernel.of(id)).includes("begun") ? true : undefined));
  await kernel.ask("interrupt_request", {}, { channel: "control" });
  const { reply } = await kernel.ran(id);
  assert.equal(reply.content.ename, "Interrupted");
  await until("its stream to stop", async () => (await value("c.status.state")) === "'stopped'", 10_000);
  await goesOn("b", other);
});

test("shutdown leaves no process and no connection to the broker behind", async () => {
  const id = await live("two", "b");
  await goesOn("b", id);
  const pid = kernel.process.pid!;
  const port = Number(servers.split(":").at(-1));
  assert.ok((await connections(pid, port)).length > 0, "it has connections while it lives");
  const before = await connections(pid, port);
  const children = await childrenOf(pid);
  await kernel.ask("shutdown_request", { restart: false }, { channel: "control" });
  assert.equal(await kernel.ended(), 0);
  for (const child of children) assert.throws(() => process.kill(child, 0), /ESRCH/);
  await until("its connections to close", async () => {
    const open = await established(port);
    return before.every((inode) => !open.has(inode));
  });
});

/** Inodes of the sockets of this machine that are connected to a port (proc(5), /proc/net/tcp: remote address, state 01, inode). */
async function established(port: number): Promise<Set<string>> {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (
    await Promise.all(["tcp", "tcp6"].map((file) => readFile(`/proc/net/${file}`, "utf8").catch(() => "")))
  ).flatMap((text) => text.trim().split("\n").slice(1));
  const open = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to?.endsWith(remote) && state === "01");
  return new Set(open.map((fields) => fields[9]!));
}

/** Those that the process holds. */
async function connections(pid: number, port: number): Promise<string[]> {
  const open = await established(port);
  const files = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(files.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  return links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? "").filter((inode) => open.has(inode));
}

const childrenOf = async (pid: number): Promise<number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(/\s+/).filter(Boolean).map(Number);
