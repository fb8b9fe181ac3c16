import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ofType, result, stdout, TestKernel } from "../test-kernel.ts";

/** `MILLRACE_LONG_TESTS=1`: the numbers of the issue. */
const LONG = process.env.MILLRACE_LONG_TESTS === "1";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({ env: { MILLRACE_OUTPUT_LIMIT: "100000" } });
});
after(() => kernel[Symbol.asyncDispose]());

/** Starts a cell, waits until it says so, interrupts it, and gives its reply. */
async function interrupted(code: string, metadata: Record<string, unknown> = {}) {
  const id = await kernel.send("execute_request", { code: `console.log("begun");${code}` }, { metadata });
  await kernel.when("the cell to begin", () => (stdout(kernel.of(id)).includes("begun") ? true : undefined));
  await kernel.ask("interrupt_request", {}, { channel: "control" });
  return kernel.ran(id);
}

suite("an interrupt ends", () => {
  for (const [what, code] of Object.entries({
    "a synchronous loop": "for (;;) {}",
    "a loop after an await": "await new Promise((r) => setTimeout(r, 1)); for (;;) {}",
    "an endless wait": "await new Promise(() => {})",
    "an endless wait for a timer": "for (;;) await new Promise((r) => setTimeout(r, 5))",
    "a loop that swallows errors": "for (;;) { try { for (;;) {} } catch {} }",
    "a blocked thread": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "a synchronous child process": "require('node:child_process').execSync('sleep 30')",
    "a loop that displays": "for (;;) { display({ 'text/plain': 'x' }); await new Promise((r) => setTimeout(r, 1)); }",
    "a getter of the result":
      "({ get endless() { for (;;) {} }, [Symbol.for('Jupyter.display')]() { return { 'text/plain': this.endless } } })",
  }))
    test(what, async () => {
      await kernel.execute("let state = 1");
      const { reply, published } = await interrupted(code);
      assert.equal(reply.content.ename, "Interrupted");
      assert.equal(ofType(published, "error").length, 1);
      assert.equal(result((await kernel.execute("state + 1")).published), "2");
    });
});

test("the cell's own signal is aborted first, and may end it in order", async () => {
  const { published } = await interrupted(
    "await new Promise<void>((_, no) => cell.signal.addEventListener('abort', () => { console.log('closing'); no(cell.signal.reason); }))",
  );
  assert.match(stdout(published), /closing/);
});

test("other cells' streams go on", async () => {
  await kernel.execute(
    "let beats = 0; void (async () => { for (;;) { beats++; await new Promise((r) => setTimeout(r, 5)); } })()",
  );
  const beats = async () => Number(result((await kernel.execute("beats")).published));
  for (const code of ["for (;;) {}", "await new Promise(() => {})"]) {
    await interrupted(code);
    const before = await beats();
    await kernel.execute("await new Promise((r) => setTimeout(r, 50))");
    assert.ok((await beats()) > before, code);
  }
});

test(`${LONG ? 200 : 20} interrupts in a row leave everything in place`, async () => {
  await kernel.execute("let survivors = 0");
  for (let n = 0; n < (LONG ? 200 : 20); n++) {
    const { reply } = await interrupted(n % 2 === 0 ? "survivors++; for (;;) {}" : "survivors++; await 0; for (;;) {}");
    assert.equal(reply.content.ename, "Interrupted");
  }
  assert.equal(result((await kernel.execute("survivors")).published), LONG ? "200" : "20");
});

test("a cell that prints for ever is cut with a count, and memory stays flat", async () => {
  const memory = async () => Number(result((await kernel.execute("process.memoryUsage().rss")).published));
  const before = await memory();
  const { published } = await interrupted(
    "const until = Date.now() + 1500; while (Date.now() < until) console.log('x'.repeat(100)); console.log('last'); for (;;) {}",
  );
  assert.ok(stdout(published).length <= 100_000);
  assert.match(stdout(published, "stderr"), /output cut after 100000 characters/);
  assert.match(stdout(published, "stderr"), /\d+ lines \(\d+ characters\) were not shown/);
  assert.ok((await memory()) - before < 150e6);
});

test("ten megabytes in one output arrive whole", async () => {
  const { published } = await kernel.execute("display({ 'text/plain': 'y'.repeat(10_000_000) })");
  assert.equal(ofType(published, "display_data")[0]!.content.data["text/plain"].length, 10_000_000);
});
