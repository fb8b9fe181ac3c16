import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ofType, result, stdout, TestKernel } from "../test-kernel.ts";

/** `MILLRACE_LONG_TESTS=1`: the numbers of the issue. */
const LONG = process.env.MILLRACE_LONG_TESTS === "1";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start({ env: { MILLRACE_OUTPUT_LIMIT: "100000", MILLRACE_DISPLAY_LIMIT: "500" } });
  await kernel.execute('import { topic } from "millrace"'); // what is loaded at the start is in memory from here on
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
    "a loop in a timer's callback": "setTimeout(() => { for (;;) {} }, 1); await new Promise(() => {})",
    "a loop in an immediate": "setImmediate(() => { for (;;) {} }); await new Promise(() => {})",
    "a loop in a listener of the cell's signal":
      "cell.signal.addEventListener('abort', () => { for (;;) {} }); await new Promise(() => {})",
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

test("SIGINT ends a wait as well: for who starts the kernel from a terminal", async () => {
  const id = await kernel.send("execute_request", { code: "console.log('waits'); await new Promise(() => {})" });
  await kernel.when("the cell to begin", () => (stdout(kernel.of(id)) === "waits\n" ? true : undefined));
  kernel.process.kill("SIGINT");
  assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
});

test("a timer that hangs after its cell's end is stopped, and the others go on", async () => {
  await kernel.execute("let ticks = 0; setInterval(() => ticks++, 5)");
  const id = await kernel.send("execute_request", {
    code: "setTimeout(() => { console.log('hangs'); for (;;) {} }, 1)",
  });
  await kernel.when("the loop", () => (stdout(kernel.of(id)) === "hangs\n" ? true : undefined));
  await kernel.ask("interrupt_request", {}, { channel: "control" });
  const before = Number(result((await kernel.execute("ticks")).published));
  await kernel.execute("await new Promise((r) => setTimeout(r, 50))");
  assert.ok(Number(result((await kernel.execute("ticks")).published)) > before);
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

test("what is cut after the cell's end is counted too, each time it has doubled", async () => {
  const metadata = { cellId: "prints on" };
  const { reply } = await kernel.execute("setInterval(() => console.log('x'.repeat(9999)), 1)", {}, metadata);
  const counts = () =>
    [...stdout(kernel.of(reply.parent.msg_id!), "stderr").matchAll(/… (\d+) lines \((\d+) characters\)/g)].map(
      ([, lines, characters]) => [Number(lines), Number(characters)] as const,
    );
  await kernel.when("two counts", () => (counts().length >= 2 ? true : undefined));
  await kernel.execute("1", {}, metadata);
  const [[lines, characters], [, more]] = counts() as [readonly [number, number], readonly [number, number]];
  assert.equal(characters, lines * 10_000, "every character of each line");
  assert.ok(more >= 2 * characters);
  assert.equal(stdout(kernel.of(reply.parent.msg_id!)).length, 100_000);
});

for (const [what, code] of [
  ["displays", "for (;;) display({ 'text/html': 'x'.repeat(10_000) })"],
  ["updates a display", "const shown = display(0); for (;;) shown.update({ 'text/html': 'x'.repeat(10_000) })"],
  ["clears its output", "for (;;) { clearOutput(); display('x'.repeat(1000)) }"],
  [
    "sends to a comm",
    "const sent = comm.open('t', {}); for (;;) sent.send({ n: 1 }, { buffers: [new Uint8Array(10_000)] })",
  ],
  ["writes single characters", "for (;;) process.stdout.write('x')"],
  ["fills the pager", "for (;;) page({ 'text/plain': 'x'.repeat(1000) })"],
] as const)
  test(`a cell that ${what} for ever is held to the pace of what is sent: it is interrupted at once, and memory stays flat`, async () => {
    const memory = async () => Number(result((await kernel.execute("process.memoryUsage().rss")).published));
    const before = await memory();
    const id = await kernel.send("execute_request", { code: `console.log('in'); ${code}` });
    await kernel.when("the loop", () => (stdout(kernel.of(id)).startsWith("in") ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const asked = performance.now();
    await kernel.send("interrupt_request", {}, { channel: "control" });
    // the reply: what was published comes as fast as this client reads
    assert.equal((await kernel.reply(id)).content.ename, "Interrupted");
    assert.ok(performance.now() - asked < 5000, `interrupted after ${performance.now() - asked} ms`);
    const more = (await memory()) - before;
    assert.ok(more < 300e6, `${more} bytes more`); // without the pace it is as much in a tenth of a second
    kernel.published.length = 0;
  });

test("of more outputs than a notebook can bear the rest is counted; a cleared output begins anew", async () => {
  const { published } = await kernel.execute("for (let i = 0; i < 550; i++) display(i)");
  assert.equal(ofType(published, "display_data").length, 500);
  const said = stdout(published, "stderr");
  assert.match(said, /no more is displayed by this cell after 500 outputs.*\n… 50 outputs were not displayed/);
  const cleared = await kernel.execute("for (let i = 0; i < 550; i++) { if (i === 400) clearOutput(); display(i) }");
  assert.equal(ofType(cleared.published, "display_data").length, 550);
  assert.equal(stdout(cleared.published, "stderr"), "");
});

test("ten megabytes in one output arrive whole", async () => {
  const { published } = await kernel.execute("display({ 'text/plain': 'y'.repeat(10_000_000) })");
  assert.equal(ofType(published, "display_data")[0]!.content.data["text/plain"].length, 10_000_000);
});
