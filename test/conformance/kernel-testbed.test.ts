// Each check of runtimed/kernel-testbed, under its name there, against a real kernel process.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ofType, result, states, stdout, TestKernel, types } from "../kernel/test-kernel.ts";
import { until } from "../support/until.ts";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel[Symbol.asyncDispose]());

suite("tier 1: basic protocol", () => {
  test("heartbeat_responds", async () => assert.equal(await kernel.heartbeat(), "ping"));

  test("iopub_welcome", async () => {
    await until("two messages", () => kernel.published.length > 1);
    const [welcome, next] = kernel.published;
    assert.equal(welcome!.header.msg_type, "iopub_welcome");
    assert.deepEqual(welcome!.content, { subscription: "" });
    assert.deepEqual(next!.content, { execution_state: "starting" });
  });

  for (const channel of ["shell", "control"] as const)
    test(`kernel_info_reply_valid, language_info, protocol_version (${channel})`, async () => {
      const { reply, published } = await kernel.ask("kernel_info_request", {}, { channel });
      const { content } = reply;
      assert.equal(reply.header.msg_type, "kernel_info_reply");
      assert.equal(content.status, "ok");
      assert.equal(content.protocol_version, "5.5");
      assert.equal(content.implementation, "millrace");
      assert.equal(content.language_info.name, "typescript");
      assert.equal(content.language_info.file_extension, ".ts");
      assert.match(content.language_info.version, /^\d+\.\d+\.\d+$/);
      assert.ok(Array.isArray(content.supported_features));
      assert.deepEqual(states(published), ["busy", "idle"]);
    });

  test("execute_stdout and execute_stderr", async () => {
    const { published } = await kernel.execute("console.log('out'); console.error('err')");
    assert.equal(stdout(published), "out\n");
    assert.equal(stdout(published, "stderr"), "err\n");
  });

  test("execute_reply_ok", async () => {
    const { reply } = await kernel.execute("const answer = 42");
    assert.equal(reply.content.status, "ok");
    assert.deepEqual(reply.content.payload, []);
    assert.deepEqual(reply.content.user_expressions, {});
  });

  test("status_busy_idle_lifecycle and execute_input_broadcast", async () => {
    const { reply, published } = await kernel.execute("1");
    assert.deepEqual(types(published), ["status", "execute_input", "execute_result", "status"]);
    assert.deepEqual(states(published), ["busy", "idle"]);
    assert.deepEqual(published[1]!.content, { code: "1", execution_count: reply.content.execution_count });
  });

  test("shutdown_reply", async () => {
    await using other = await TestKernel.start();
    const { reply } = await other.ask("shutdown_request", { restart: false }, { channel: "control" });
    assert.deepEqual(reply.content, { status: "ok", restart: false });
    assert.equal(await other.ended(), 0);
  });
});

suite("tier 2: interactive features", () => {
  test("complete_request", async () => {
    const { reply } = await kernel.ask("complete_request", { code: "cons", cursor_pos: 4 });
    assert.ok(reply.content.matches.includes("console"));
    assert.deepEqual([reply.content.cursor_start, reply.content.cursor_end], [0, 4]);
  });

  test("inspect_request", async () => {
    const { reply } = await kernel.ask("inspect_request", { code: "parseInt", cursor_pos: 3, detail_level: 0 });
    assert.equal(reply.content.found, true);
    assert.match(reply.content.data["text/plain"], /function parseInt\(string: string/);
  });

  for (const [code, status] of [
    ["const x = 1", "complete"],
    ["function f() {", "incomplete"],
    ["const = 1;", "invalid"],
  ])
    test(`is_complete_${status}`, async () => {
      const { reply } = await kernel.ask("is_complete_request", { code });
      assert.equal(reply.content.status, status);
      assert.equal("indent" in reply.content, status === "incomplete");
    });

  test("history_request", async () => {
    await kernel.execute("'remember me'");
    const { reply } = await kernel.ask("history_request", { hist_access_type: "tail", n: 1, output: false, raw: true });
    assert.equal(reply.content.history[0][2], "'remember me'");
  });

  test("comm_info_request", async () => {
    const { reply } = await kernel.ask("comm_info_request", {});
    assert.deepEqual(reply.content, { status: "ok", comms: {} });
  });

  test("error_handling", async () => {
    const { reply, published } = await kernel.execute("throw new RangeError('too far')");
    assert.equal(reply.content.status, "error");
    assert.equal(reply.content.ename, "RangeError");
    assert.equal(reply.content.evalue, "too far");
    const [error] = ofType(published, "error");
    assert.deepEqual(error!.content.traceback, reply.content.traceback);
    assert.match(error!.content.traceback.join("\n"), /cell \d+:1:7/);
  });
});

suite("tier 3: rich output", () => {
  test("display_data and update_display_data", async () => {
    const { published } = await kernel.execute(
      "const shown = display({ 'text/html': '<b>1</b>' }, { id: 'one' }); shown.update({ 'text/html': '<b>2</b>' })",
    );
    const [first] = ofType(published, "display_data");
    const [second] = ofType(published, "update_display_data");
    assert.deepEqual(first!.content.data, { "text/html": "<b>1</b>" });
    assert.deepEqual(second!.content.data, { "text/html": "<b>2</b>" });
    assert.deepEqual(
      [first!, second!].map(({ content }) => content.transient.display_id),
      ["one", "one"],
    );
  });

  test("execute_result", async () => assert.equal(result((await kernel.execute("6 * 7")).published), "42"));

  test("rich_execute_result", async () => {
    const { published } = await kernel.execute(
      "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>x</i>' }) })",
    );
    assert.deepEqual(ofType(published, "execute_result")[0]!.content.data, { "text/html": "<i>x</i>" });
  });
});

suite("tier 4: advanced features", () => {
  test("stdin_input_request", async () => {
    const id = await kernel.send("execute_request", {
      code: "const name = prompt('Who? '); 'Hello ' + name",
      allow_stdin: true,
    });
    const request = await kernel.inputRequest(id);
    assert.deepEqual(request.content, { prompt: "Who? ", password: false });
    assert.equal(await kernel.heartbeat(), "ping", "the heartbeat goes on while the cell waits");
    await kernel.send("input_reply", { status: "ok", value: "Ada" }, { channel: "stdin" });
    assert.equal(result((await kernel.ran(id)).published), "'Hello Ada'");
  });

  test("comms_lifecycle", async () => {
    await kernel.execute(`comm.register("echo", (c) => {
      c.onMessage = (data, buffers) => c.send({ got: data }, { buffers });
      c.onClose = () => console.log("closed");
    })`);
    const content = { comm_id: "c1", target_name: "echo", data: {} };
    await kernel.send("comm_open", content);
    await kernel.send("comm_msg", { comm_id: "c1", data: { n: 1 } }, { buffers: [Buffer.from([1, 2, 255])] });
    const answer = await kernel.when("the comm's answer", () => ofType(kernel.published, "comm_msg")[0]);
    assert.deepEqual(answer.content, { comm_id: "c1", data: { got: { n: 1 } } });
    assert.deepEqual([...answer.buffers[0]!], [1, 2, 255]);
    const open = await kernel.ask("comm_info_request", { target_name: "echo" });
    assert.deepEqual(open.reply.content.comms, { c1: { target_name: "echo" } });
    await kernel.send("comm_close", { comm_id: "c1", data: {} });
    await kernel.when("the close callback", () => stdout(kernel.published).includes("closed") || undefined);
    assert.deepEqual((await kernel.ask("comm_info_request", {})).reply.content.comms, {});
  });

  test("comm_open of an unknown target is closed", async () => {
    await kernel.send("comm_open", { comm_id: "c2", target_name: "nobody", data: {} });
    await kernel.when("comm_close", () =>
      ofType(kernel.published, "comm_close").find(({ content }) => content.comm_id === "c2"),
    );
  });

  test("interrupt_request", async () => {
    await kernel.execute("let kept = 'kept'");
    const id = await kernel.send("execute_request", { code: "console.log('on'); for (;;) {}" });
    await kernel.when("the loop to begin", () => (stdout(kernel.of(id)) === "on\n" ? true : undefined));
    const { reply } = await kernel.ask("interrupt_request", {}, { channel: "control" });
    assert.equal(reply.content.status, "ok");
    assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
    assert.equal(result((await kernel.execute("kept")).published), "'kept'");
  });

  test("execution_count_increments", async () => {
    const counts = [];
    for (const code of ["1", "2", "3"]) counts.push((await kernel.execute(code)).reply.content.execution_count);
    assert.deepEqual(counts, [counts[0], counts[0] + 1, counts[0] + 2]);
  });

  test("parent_header_correlation", async () => {
    const ids = [
      await kernel.send("execute_request", { code: "'a'" }),
      await kernel.send("execute_request", { code: "'b'" }),
    ];
    const ran = await Promise.all(ids.map((id) => kernel.ran(id)));
    assert.deepEqual(
      ran.map(({ published }) => result(published)),
      ["'a'", "'b'"],
    );
    assert.ok(ran.every(({ reply }, at) => reply.parent.msg_id === ids[at] && reply.parent.session === kernel.session));
  });
});
