// What no well-behaved cell or client does: each is answered, and the kernel lives on.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Dealer } from "zeromq";
import { type Channel, endpoint } from "../../../kernel/wire/connection-file.ts";
import { ofType, result, states, stdout, TestKernel } from "../test-kernel.ts";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel[Symbol.asyncDispose]());

const alive = async () => assert.equal(result((await kernel.execute("'alive'")).published), "'alive'");

suite("what a cell throws", () => {
  for (const [code, ename, evalue] of [
    ["throw null", "Thrown", "null"],
    ["throw undefined", "Thrown", "undefined"],
    ["throw Symbol('s')", "Thrown", "Symbol(s)"],
    ["throw Object.create(null)", "Thrown", "[Object: null prototype] {}"],
    ["throw new Proxy(new Error('p'), { get() { throw new Error('trap') } })", "Error", ""],
    ["throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } })", "Thrown", "{}"],
    ["class Mute extends Error { get message(): string { throw 1 } } throw new Mute()", "Mute", ""],
    ["throw Object.assign(new Error('x'), { name: 5, message: { a: 1 }, stack: 7 })", "Error", "{ a: 1 }"],
    ["const own: any = new Error('cyclic'); own.cause = own; own.self = own; throw own", "Error", "cyclic"],
    [
      "const many: any = new AggregateError([null, 5], 'many'); many.errors.push(many); throw many",
      "AggregateError",
      "many",
    ],
    ["Promise.reject(null)", "Thrown", "null"],
    [
      "class OrderError extends RangeError {} throw new OrderError('named by its class')",
      "OrderError",
      "named by its class",
    ],
    ["throw new (class extends TypeError {})('of no name')", "TypeError", "of no name"],
    ["JSON.parse('')", "SyntaxError", "Unexpected end of JSON input"],
    ["require('node:fs').readFileSync(new Date())", "TypeError", /path/],
  ] as const)
    test(code, async () => {
      const { reply, published } = await kernel.execute(code);
      assert.equal(reply.content.ename, ename);
      if (typeof evalue === "string") assert.equal(reply.content.evalue, evalue);
      else assert.match(reply.content.evalue, evalue);
      assert.equal(ofType(published, "error").length, 1);
      assert.ok(reply.content.traceback.join("\n").length < 1000, "told once");
    });
  test("and the next cell runs", alive);
});

suite("what cannot be sent is refused in the cell that gave it", () => {
  for (const code of [
    "display({ 'application/json': { a: 1n } })",
    "const cycle: any = {}; cycle.c = cycle; display({ 'application/json': cycle })",
    "({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': { a: 1n } }) })",
    "display(1, { metadata: { a: 1n } })",
    "display({ 'text/plain': () => 1 })",
    "comm.open('t', { a: 1n })",
    "comm.open('t', {}, { buffers: [5 as any] })",
    "page({ 'application/json': { a: 1n } })",
  ])
    test(code, async () => {
      const { reply } = await kernel.execute(code);
      assert.equal(reply.content.ename, "Refusal");
      assert.match(reply.content.evalue, /what to do:/);
      await alive();
    });

  test("a user expression that cannot be sent fails by itself", async () => {
    const user_expressions = {
      bad: "({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': 1n }) })",
      good: "1",
    };
    const { content } = (await kernel.execute("0", { user_expressions })).reply;
    assert.deepEqual([content.user_expressions.bad.status, content.user_expressions.good.status], ["error", "ok"]);
  });
});

suite("a cell at the process's own things", () => {
  test("bytes cut within a character, an ended and a destroyed stdout", async () => {
    const cut = "process.stdout.write(new Uint8Array([0xe2, 0x82])); process.stdout.write(new Uint8Array([0xac]))";
    assert.equal(await kernel.printed(cut), "€");
    assert.equal(await kernel.printed("process.stdout.end('a'); process.stdout.destroy(); console.log('b')"), "ab\n");
    assert.equal(await kernel.printed("console.log('c')"), "c\n");
  });

  test("what child processes print with stdio inherited is the cell's output", async () => {
    const { reply } = await kernel.execute(
      "import { execFileSync, execSync, spawn, spawnSync } from 'node:child_process';",
    );
    assert.equal(reply.content.status, "ok");
    for (const [code, out, err, value] of [
      ["execSync('echo a; echo b >&2', { stdio: 'inherit' })", "a\n", "b\n", "null"],
      ["spawnSync('sh', ['-c', 'echo c; echo d >&2; exit 3'], { stdio: 'inherit' }).status", "c\n", "d\n", "3"],
      ["execFileSync('echo', ['e'], { stdio: [0, 1, 2] })", "e\n", "", "null"],
      [
        "execSync('echo f; echo g >&2', { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })",
        "",
        "g\n",
        "'f\\n'",
      ],
      [
        "await new Promise((r) => spawn('sh', ['-c', 'echo h; echo i >&2'], { stdio: 'inherit' }).on('close', r))",
        "h\n",
        "i\n",
        "0",
      ],
      ["execSync('echo j').toString()", "", "", "'j\\n'"],
    ] as const) {
      const { published } = await kernel.execute(code);
      assert.deepEqual([stdout(published), stdout(published, "stderr"), result(published)], [out, err, value], code);
    }
    const failed = await kernel.execute("execSync('echo k; echo l >&2; exit 2', { stdio: 'inherit' })");
    assert.deepEqual([stdout(failed.published), stdout(failed.published, "stderr")], ["k\n", "l\n"]);
    assert.match(failed.reply.content.evalue, /Command failed/);
  });

  test("without its listeners an uncaught error still ends nothing", async () => {
    const { published } = await kernel.execute(
      "process.removeAllListeners('uncaughtException'); process.removeAllListeners('unhandledRejection');" +
        "void Promise.reject(new Error('late')); await new Promise((r) => setTimeout(r, 50))",
    );
    assert.match(stdout(published, "stderr"), /late/);
    await alive();
  });
});

/** Sends four JSON frames as they are, from a client of its own, and gives the content of the first answer. */
async function sent(frames: readonly [unknown, unknown, unknown, unknown], channel: Channel = "shell", wait = 10_000) {
  const client = new Dealer({ linger: 500, receiveTimeout: wait });
  client.connect(endpoint(kernel.info, channel));
  const json = frames.map((frame) => Buffer.from(frame === NO_JSON ? "{" : JSON.stringify(frame)));
  await client.send(["<IDS|MSG>", kernel.signature.of(json), ...json]);
  try {
    return JSON.parse(String((await client.receive()).at(-1)));
  } finally {
    client.close();
  }
}
const NO_JSON = Symbol("no JSON");
const header = (msg_type: string) => ({
  msg_id: crypto.randomUUID(),
  session: "s",
  username: "u",
  date: "",
  msg_type,
  version: "5.5",
});

suite("messages with parts missing", () => {
  for (const type of ["execute", "complete", "inspect", "is_complete"])
    for (const content of [null, {}, { code: 5, cursor_pos: 1 }])
      test(`${type}_request with ${JSON.stringify(content)} is answered with an error`, async () => {
        const answer = await sent([header(`${type}_request`), {}, {}, content]);
        assert.equal(answer.status, "error");
        assert.match(answer.evalue, /code/);
      });

  for (const [what, content, metadata] of [
    ["metadata null", { code: "1" }, null],
    ["metadata that is none of JupyterLab's", { code: "1" }, { cellId: 5, deletedCells: 5 }],
    ["user expressions null", { code: "1", user_expressions: null }, {}],
    ["user expressions of the wrong kind", { code: "1", user_expressions: { a: 5, b: null } }, {}],
  ] as const)
    test(`execute_request with ${what} runs`, async () =>
      assert.equal((await sent([header("execute_request"), {}, metadata, content])).status, "ok"));

  test("what is no message is dropped", async () => {
    for (const bad of [null, 5, {}, NO_JSON, header("__proto__"), header("toString"), header("nonsense_request")])
      await assert.rejects(sent([bad, {}, {}, { code: "1" }], "shell", 100));
    for (const channel of ["control", "stdin"] as const)
      await assert.rejects(sent([null, null, null, null], channel, 100));
    await assert.rejects(sent([header("input_reply"), {}, {}, { value: "nobody asked" }], "stdin", 100));
    await alive();
  });

  test("a cursor beyond the text", async () => {
    for (const cursor_pos of [-1, 99])
      assert.equal((await sent([header("complete_request"), {}, {}, { code: "cons", cursor_pos }])).status, "ok");
  });
});

suite("the queue", () => {
  test("two clients at once each get their own answers", async () => {
    const own = await kernel.send("execute_request", { code: "await new Promise((r) => setTimeout(r, 50)); 'mine'" });
    const other = await sent([header("execute_request"), {}, {}, { code: "", user_expressions: { it: "'theirs'" } }]);
    assert.equal(other.user_expressions.it.data["text/plain"], "'theirs'");
    assert.equal(result((await kernel.ran(own)).published), "'mine'");
  });

  test("an interrupt of the asking cell aborts what waits behind it, and the answer that comes late is for nobody", async () => {
    const asking = await kernel.send("execute_request", { code: "prompt('?')" });
    const behind = await kernel.send("execute_request", { code: "'behind'" });
    await kernel.inputRequest(asking);
    await kernel.ask("interrupt_request", {}, { channel: "control" });
    assert.equal((await kernel.ran(asking)).reply.content.ename, "Interrupted");
    assert.equal((await kernel.ran(behind)).reply.content.status, "aborted");
    await kernel.send("input_reply", { status: "ok", value: "too late" }, { channel: "stdin" });
    const next = await kernel.send("execute_request", { code: "prompt('again?')" });
    await kernel.inputRequest(next);
    await kernel.send("input_reply", { status: "ok", value: "in time" }, { channel: "stdin" });
    assert.equal(result((await kernel.ran(next)).published), "'in time'");
  });

  test("silent with store_history and a failing user expression: no output, no count", async () => {
    const before = (await kernel.execute("0")).reply.content.execution_count;
    const silent = { silent: true, store_history: true, user_expressions: { no: "nowhere" } };
    const { reply, published } = await kernel.execute("console.log('x'); display(1); 2", silent);
    assert.deepEqual([reply.content.status, reply.content.execution_count], ["ok", before]);
    assert.equal(reply.content.user_expressions.no.status, "error");
    assert.deepEqual(states(published), ["busy", "idle"]);
    assert.equal(published.length, 2);
  });

  test("a silent cell that fails says so in its reply only, and what it shows later is not shown", async () => {
    const { reply, published } = await kernel.execute(
      "setTimeout(() => { console.log('late'); display(1) }, 10); throw new Error('quiet')",
      { silent: true },
    );
    assert.equal(reply.content.evalue, "quiet");
    await kernel.execute("await new Promise((r) => setTimeout(r, 50))");
    assert.equal(kernel.of(reply.parent.msg_id as string).length, published.length);
  });

  test("a display from a timer after the cell's end goes to the cell", async () => {
    const { reply } = await kernel.execute(
      "let shows = 0; const t = setInterval(() => { display(++shows); if (shows === 3) clearInterval(t) }, 10)",
    );
    await kernel.when("three displays", () => ofType(kernel.of(reply.parent.msg_id as string), "display_data")[2]);
  });
});
