// The debug adapter, message by message, as JupyterLab speaks to it.
import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { murmur2 } from "../../../kernel/debugger/murmur2.ts";
import { ofType, result, stdout, TestKernel } from "../test-kernel.ts";

let kernel: TestKernel;
let seq = 0;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel[Symbol.asyncDispose]());

async function response(command: string, parameters: Record<string, unknown> = {}) {
  const request = { type: "request", seq: ++seq, command, arguments: parameters };
  const { content } = (await kernel.ask("debug_request", request, { channel: "control" })).reply;
  assert.deepEqual([content.type, content.command, content.request_seq], ["response", command, seq]);
  return content;
}

async function dap(command: string, parameters: Record<string, unknown> = {}) {
  const { success, body, message } = await response(command, parameters);
  assert.equal(success, true, `${command}: ${message}`);
  return body;
}

const events = (event: string) =>
  ofType(kernel.published, "debug_event").filter(({ content }) => content.event === event);
let seen = 0;
/** The next stop that the test has not seen yet. */
async function stopped() {
  const stop = await kernel.when("a stop", () => events("stopped")[seen]);
  seen++;
  return stop.content.body;
}

async function start(): Promise<void> {
  await dap("initialize", { clientID: "jupyterlab", linesStartAt1: true });
  await dap("attach");
  await dap("configurationDone");
  seen = events("stopped").length;
}

/** Runs a cell with breakpoints and gives its request's id. */
async function run(code: string, ...breakpoints: { line: number; condition?: string }[]): Promise<string> {
  const { sourcePath } = await dap("dumpCell", { code });
  const set = await dap("setBreakpoints", { source: { path: sourcePath }, breakpoints, sourceModified: false });
  assert.deepEqual(
    set.breakpoints.map(({ verified, line }: { verified: boolean; line: number }) => [verified, line]),
    breakpoints.map(({ line }) => [true, line]),
  );
  return kernel.send("execute_request", { code });
}

const top = async () => (await dap("stackTrace", { threadId: 1 })).stackFrames[0];
async function variables(scope = "Locals", frameId = 0): Promise<Record<string, string>> {
  const { scopes } = await dap("scopes", { frameId });
  const { variablesReference } = scopes.find(({ name }: { name: string }) => name === scope);
  const listed = (await dap("variables", { variablesReference })).variables;
  return Object.fromEntries(listed.map(({ name, value }: { name: string; value: string }) => [name, value]));
}

test("the feature is announced, and a cell's path is its text's hash", async () => {
  const info = (await kernel.ask("kernel_info_request", {})).reply.content;
  assert.ok(info.supported_features.includes("debugger") && info.debugger === true);
  const { isStarted, hashMethod, hashSeed, tmpFilePrefix, tmpFileSuffix, stoppedThreads } = await dap("debugInfo");
  assert.deepEqual([isStarted, hashMethod, stoppedThreads], [false, "Murmur2", []]);
  const code = "const größe = 1; // 😀";
  assert.equal(
    (await dap("dumpCell", { code })).sourcePath,
    `${tmpFilePrefix}${murmur2(code, hashSeed)}${tmpFileSuffix}`,
  );
});

for (const [text, seed, hash] of [
  // as the reference implementation of MurmurHash2 gives them
  ["", 0, 0],
  ["", 1, 1540447798],
  ["a", 0, 2456313694],
  ["abc", 0, 324500635],
  ["abcd", 0, 646393889],
] as const)
  test(`murmur2 of ${JSON.stringify(text)}, seed ${seed}`, () => assert.equal(murmur2(text, seed), hash));

test("without a session a request fails with a reason", async () => {
  assert.match((await response("setBreakpoints", { source: { path: "x" } })).message, /not started/);
  assert.match((await response("stackTrace")).message, /no cell is stopped/);
  assert.match((await response("nonsense")).message, /"nonsense"/);
});

suite("a debugged cell", () => {
  beforeEach(start);
  after(() => dap("disconnect"));

  const CODE = `interface Shape { side: number }
function area(shape: Shape): number {
  const { side } = shape;
  return side * side;
}
const shape: Shape = { side: 3 };
const found = area(shape);
await Promise.resolve();
const after = found + 1;
after`;

  test("stops at a breakpoint of the TypeScript, shows its variables, steps and goes on", async () => {
    const id = await run(CODE, { line: 4 });
    assert.deepEqual(await stopped(), { reason: "breakpoint", threadId: 1, allThreadsStopped: true });
    const { stackFrames } = await dap("stackTrace", { threadId: 1 });
    assert.deepEqual(
      stackFrames.map(({ name, line }: { name: string; line: number }) => [name.replace(/cell \d+/, "cell"), line]),
      [
        ["area", 4],
        ["cell", 7],
      ],
    );
    assert.equal(stackFrames[0].source.path, (await dap("dumpCell", { code: CODE })).sourcePath);
    assert.equal((await dap("source", { source: stackFrames[0].source })).content, CODE);
    assert.deepEqual(await variables(), { shape: "Object", side: "3" });
    const { result: value } = await dap("evaluate", { expression: "side + 1", frameId: 0 });
    assert.equal(value, "4");
    assert.deepEqual((await dap("richInspectVariables", { variableName: "shape", frameId: 0 })).data, {
      "text/plain": "Object",
    });
    const lines: number[] = [];
    for (const command of ["stepOut", "next", "next", "next"]) {
      await dap(command, { threadId: 1 });
      await stopped();
      lines.push((await top()).line);
    }
    assert.deepEqual(lines, [7, 8, 9, 10]);
    assert.equal((await variables()).found, "9");
    await dap("continue", { threadId: 1 });
    assert.equal(result((await kernel.ran(id)).published), "10");
    assert.ok(events("continued").length >= 5);
    assert.deepEqual((await dap("debugInfo")).stoppedThreads, []);
  });

  test("steps into a function of an earlier cell and shows the names of the session", async () => {
    await kernel.execute("const rate = 2;\nfunction scaled(n: number) {\n  return n * rate;\n}");
    const id = await run("const scaledUp = scaled(21);\nscaledUp", { line: 1 });
    await stopped();
    await dap("stepIn", { threadId: 1 });
    await stopped();
    assert.deepEqual([(await top()).name, (await top()).line], ["scaled", 3]);
    assert.equal((await dap("evaluate", { expression: "rate", frameId: 0 })).result, "2");
    const { variables: names } = await dap("inspectVariables");
    assert.equal(names.find(({ name }: { name: string }) => name === "rate").value, "2");
    await dap("continue", { threadId: 1 });
    assert.equal(result((await kernel.ran(id)).published), "42");
  });

  test("a breakpoint with a condition, in a loop", async () => {
    const id = await run("let total = 0;\nfor (let n = 0; n < 10; n++) {\n  total += n;\n}\ntotal", {
      line: 3,
      condition: "n === 7",
    });
    await stopped();
    assert.equal((await variables()).n, "7");
    await dap("continue", { threadId: 1 });
    assert.equal(result((await kernel.ran(id)).published), "45");
  });

  test("a breakpoint set in a cell that has run holds where its function is called", async () => {
    const code = "function late() {\n  return 'late';\n}";
    await kernel.execute(code);
    const { sourcePath } = await dap("dumpCell", { code });
    await dap("setBreakpoints", { source: { path: sourcePath }, breakpoints: [{ line: 2 }] });
    const id = await kernel.send("execute_request", { code: "late()" });
    await stopped();
    assert.equal((await top()).line, 2);
    assert.deepEqual(
      (await dap("debugInfo")).breakpoints.find(({ source }: { source: string }) => source === sourcePath),
      {
        source: sourcePath,
        breakpoints: [{ line: 2 }],
      },
    );
    await dap("setBreakpoints", { source: { path: sourcePath }, breakpoints: [] });
    await dap("continue", { threadId: 1 });
    await kernel.ran(id);
    assert.equal(result((await kernel.execute("late()")).published), "'late'");
  });

  test("an exception stops where it is thrown, if asked to", async () => {
    await dap("setExceptionBreakpoints", { filters: ["raised"] });
    const id = await run("1;\nthrow new Error('here')");
    assert.equal((await stopped()).reason, "exception");
    assert.equal((await top()).line, 2);
    await dap("setExceptionBreakpoints", { filters: [] });
    await dap("continue", { threadId: 1 });
    assert.equal((await kernel.ran(id)).reply.content.evalue, "here");
  });

  test("pause stops a loop; the kernel answers meanwhile; an interrupt ends the cell", async () => {
    const id = await kernel.send("execute_request", { code: "console.log('in');\nlet turns = 0;\nfor (;;) turns++;" });
    await kernel.when("the loop", () => (stdout(kernel.of(id)) === "in\n" ? true : undefined));
    await dap("pause", { threadId: 1 });
    await stopped();
    assert.equal((await top()).line, 3);
    assert.equal(await kernel.heartbeat(), "ping");
    const { reply } = await kernel.ask("complete_request", { code: "Math.ma", cursor_pos: 7 });
    assert.deepEqual(reply.content.matches, ["max"]);
    await kernel.ask("interrupt_request", {}, { channel: "control" });
    assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
    assert.equal(result((await kernel.execute("'alive'")).published), "'alive'");
  });

  test("disconnecting lets a stopped cell go on, and later cells run without the debugger", async () => {
    const id = await run("debugger;\n'went on'");
    await stopped();
    await dap("disconnect", { restart: false, terminateDebuggee: false });
    assert.equal(result((await kernel.ran(id)).published), "'went on'");
    assert.equal(events("terminated").length > 0, true);
    assert.equal(result((await kernel.execute("debugger; 2")).published), "2");
  });
});
