// JEP 91: further queues of shell requests beside the kernel's own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ofType, result, stdout, TestKernel, types } from "../test-kernel.ts";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel[Symbol.asyncDispose]());

const control = async (type: string, content: unknown = {}) =>
  (await kernel.ask(type, content, { channel: "control" })).reply.content;
const create = async () => (await control("create_subshell_request")).subshell_id as string;
const executeIn = async (subshell: string, code: string) =>
  kernel.ran(await kernel.send("execute_request", { code }, { subshell }));

/** A cell of the parent shell that awaits until the test lets it end. */
async function waiting(name: string) {
  const code = `let ${name} = false; console.log("in"); while (!${name}) await new Promise((r) => setTimeout(r, 5)); "${name}"`;
  const id = await kernel.send("execute_request", { code });
  await kernel.when("the cell to begin", () => (stdout(kernel.of(id)) === "in\n" ? true : undefined));
  return id;
}

test("the feature is announced", async () => {
  assert.ok(
    (await kernel.ask("kernel_info_request", {})).reply.content.supported_features.includes("kernel subshells"),
  );
});

test("created, listed and deleted", async () => {
  const [one, two] = [await create(), await create()];
  assert.notEqual(one, two);
  assert.deepEqual(await control("list_subshell_request"), { status: "ok", subshell_id: [one, two] });
  assert.deepEqual(await control("delete_subshell_request", { subshell_id: one }), { status: "ok" });
  assert.deepEqual((await control("list_subshell_request")).subshell_id, [two]);
  assert.equal((await control("delete_subshell_request", { subshell_id: one })).status, "error");
  await control("delete_subshell_request", { subshell_id: two });
});

test("while a cell of the parent shell waits, a subshell's cell runs, with the same variables and outputs of its own", async () => {
  const subshell = await create();
  const busy = await waiting("letGo");
  const { reply, published } = await executeIn(subshell, "console.log('beside'); letGo = true; 6 * 7");
  assert.equal(reply.content.status, "ok");
  assert.equal(reply.parent.subshell_id, subshell);
  assert.equal(result(published), "42");
  assert.equal(stdout(published), "beside\n");
  const parent = await kernel.ran(busy);
  assert.equal(result(parent.published), "'letGo'");
  assert.equal(stdout(parent.published), "in\n");
  assert.equal(reply.content.execution_count, parent.reply.content.execution_count + 1);
});

test("completion, inspection and comms on a subshell are answered while a cell is busy", async () => {
  const subshell = await create();
  await kernel.execute("const record = { alpha: 1 }; comm.register('sub', (c, data) => { c.send({ got: data }) })");
  const busy = await waiting("letGoOn");
  const ask = async (type: string, content: unknown) => (await kernel.ask(type, content, { subshell })).reply.content;
  assert.deepEqual((await ask("complete_request", { code: "record.al", cursor_pos: 9 })).matches, ["alpha"]);
  assert.match((await ask("inspect_request", { code: "record", cursor_pos: 2 })).data["text/plain"], /alpha/);
  // on the parent shell a new comm would wait for the cell
  await kernel.send("comm_open", { comm_id: "s1", target_name: "sub", data: 5 }, { subshell });
  const answer = await kernel.when("the comm's answer", () => ofType(kernel.published, "comm_msg")[0]);
  assert.deepEqual(answer.content, { comm_id: "s1", data: { got: 5 } });
  await executeIn(subshell, "letGoOn = true");
  await kernel.ran(busy);
});

test("a failing cell aborts what waits in its own subshell only", async () => {
  const [one, two] = [await create(), await create()];
  const slow = "await new Promise((r) => setTimeout(r, 50));";
  const send = (code: string, subshell: string) => kernel.send("execute_request", { code }, { subshell });
  const ids = [
    await send(`${slow} throw new Error("stop")`, one),
    await send(`${slow} 1`, two),
    await send("2", one),
    await send("3", two),
  ];
  const ran = await Promise.all(ids.map((id) => kernel.ran(id)));
  assert.deepEqual(
    ran.map(({ reply }) => reply.content.status),
    ["error", "ok", "aborted", "ok"],
  );
});

test("an interrupt ends the cells of all shells", async () => {
  const subshell = await create();
  const busy = await waiting("neverLetGo");
  const beside = await kernel.send("execute_request", { code: "console.log('on'); for (;;) {}" }, { subshell });
  await kernel.when("the loop", () => (stdout(kernel.of(beside)) === "on\n" ? true : undefined));
  await kernel.ask("interrupt_request", {}, { channel: "control" });
  for (const id of [busy, beside]) assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
  assert.equal(result((await kernel.execute("'on it goes'")).published), "'on it goes'");
});

test("a deleted subshell lets its running cell end and aborts what waits; later requests are refused", async () => {
  const subshell = await create();
  const send = (code: string) => kernel.send("execute_request", { code }, { subshell });
  const running = await send("console.log('r'); await new Promise((r) => setTimeout(r, 100)); 'to its end'");
  const behind = await send("'never'");
  await kernel.when("the first cell", () => (stdout(kernel.of(running)) === "r\n" ? true : undefined));
  await control("delete_subshell_request", { subshell_id: subshell });
  assert.equal((await kernel.ran(behind)).reply.content.status, "aborted");
  assert.equal(result((await kernel.ran(running)).published), "'to its end'");
  const late = await kernel.ran(await send("1"));
  assert.equal(late.reply.content.ename, "UnknownSubshell");
  assert.deepEqual(types(late.published), ["status", "status"]);
});
