// What the public suites do not look at: signatures, order, answers while busy, stdin.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { JournalEntry } from "../../../kernel/cells/journal.ts";
import { readJournal } from "../../../kernel/cells/journal-file.ts";
import { Signature } from "../../../kernel/wire/signature.ts";
import { ofType, result, states, stdout, TestKernel, types } from "../test-kernel.ts";

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
});
after(() => kernel[Symbol.asyncDispose]());

test("a message with a wrong signature is dropped", async () => {
  const forged = await kernel.send(
    "execute_request",
    { code: "globalThis.forged = true" },
    { signature: new Signature("wrong", "hmac-sha256") },
  );
  assert.equal(result((await kernel.execute("'forged' in globalThis")).published), "false");
  assert.deepEqual(kernel.of(forged), []);
});

test("positions on the wire are code points", async () => {
  await kernel.execute("const threshold = 2.5");
  const code = "const 𝒳 = '😀😀'; thresh; 𝒳";
  const at = [...code.slice(0, code.indexOf(";", 18))].length;
  const { content } = (await kernel.ask("complete_request", { code, cursor_pos: at })).reply;
  assert.deepEqual([content.matches, content.cursor_start, content.cursor_end], [["threshold"], at - 6, at]);
  const [item] = content.metadata._jupyter_types_experimental;
  assert.deepEqual(item, { text: "threshold", type: "const", start: at - 6, end: at });
  const shown = await kernel.ask("inspect_request", { code: "'😀😀'; threshold", cursor_pos: 14, detail_level: 0 });
  assert.match(shown.reply.content.data["text/plain"], /^const threshold: 2\.5/);
});

test("a cell opens a comm: data and buffers go both ways, until the client closes it", async () => {
  const { published } = await kernel.execute(`
    const opened = comm.open("widget", { state: 1 }, { buffers: [new Uint8Array([1, 2])] });
    opened.onMessage = (data, [buffer]: any) => opened.send({ got: data }, { buffers: [buffer, new Float64Array([1.5])] });
    opened.onClose = (data) => console.log("closed", data);`);
  const [open] = ofType(published, "comm_open");
  assert.deepEqual(
    [open!.content.target_name, open!.content.data, [...open!.buffers[0]!]],
    ["widget", { state: 1 }, [1, 2]],
  );
  const { comm_id } = open!.content;
  const asked = await kernel.send("comm_msg", { comm_id, data: "to the cell" }, { buffers: [Buffer.from([0, 255])] });
  const of = (type: string) => ofType(kernel.published, type).find(({ content }) => content.comm_id === comm_id);
  const { content, buffers, parent } = await kernel.when("the cell's answer", () => of("comm_msg"));
  assert.deepEqual(content.data, { got: "to the cell" });
  assert.equal(parent.msg_id, asked, "what a message causes is published for it");
  assert.deepEqual(
    buffers.map((buffer) => [...buffer]),
    [
      [0, 255],
      [0, 0, 0, 0, 0, 0, 0xf8, 0x3f],
    ],
  );
  const targets = async (target_name: string) =>
    Object.keys((await kernel.ask("comm_info_request", { target_name })).reply.content.comms);
  assert.deepEqual([await targets("widget"), await targets("another")], [[comm_id], []]);
  await kernel.send("comm_close", { comm_id, data: "bye" });
  await kernel.when("its close", () => stdout(kernel.published).includes("closed bye") || undefined);
  assert.deepEqual(await targets("widget"), []);
});

suite("while a cell is busy", () => {
  test("information, completion, inspection and comms are answered", async () => {
    await kernel.execute(
      "let go = false; const record = { alpha: 1, beta: 2 }; comm.register('t', (c) => { c.onMessage = () => { go = true } })",
    );
    await kernel.send("comm_open", { comm_id: "busy", target_name: "t", data: {} });
    const id = await kernel.send("execute_request", {
      code: "while (!go) await new Promise((r) => setTimeout(r, 10)); 'gone on'",
    });
    await kernel.when("busy", () => kernel.of(id)[0]);
    assert.equal((await kernel.ask("kernel_info_request", {})).reply.content.status, "ok");
    assert.deepEqual(
      (await kernel.ask("complete_request", { code: "record.al", cursor_pos: 9 })).reply.content.matches,
      ["alpha"],
    );
    assert.match(
      (await kernel.ask("inspect_request", { code: "record", cursor_pos: 2 })).reply.content.data["text/plain"],
      /alpha: number/,
    );
    assert.equal(
      kernel.of(id).some(({ header }) => header.msg_type === "execute_result"),
      false,
      "still busy",
    );
    await kernel.send("comm_msg", { comm_id: "busy", data: {} });
    assert.equal(result((await kernel.ran(id)).published), "'gone on'");
  });

  test("a comm to a target of the kernel's own is answered, one to a cell's waits for the cells before it", async () => {
    await kernel.execute("comm.register('a cell', (c) => c.send('from the cell'))");
    const id = await kernel.send("execute_request", { code: "console.log('in'); await new Promise(() => {})" });
    await kernel.when("the wait", () => (stdout(kernel.of(id)) === "in\n" ? true : undefined));
    await kernel.send("comm_open", { comm_id: "own", target_name: "millrace.promote", data: {} });
    await kernel.send("comm_open", { comm_id: "cells", target_name: "a cell", data: {} });
    await kernel.send("comm_msg", { comm_id: "own", data: { do: "explain", path: "not-there.ipynb" } });
    const of = (comm: string) =>
      ofType(kernel.published, "comm_msg").find(({ content }) => content.comm_id === comm)?.content.data;
    assert.ok((await kernel.when("the kernel's answer", () => of("own"))).error);
    assert.equal(of("cells"), undefined);
    await kernel.ask("interrupt_request", {}, { channel: "control" });
    await kernel.ran(id);
    assert.equal(await kernel.when("the cell's answer", () => of("cells")), "from the cell");
  });

  test("a loop that never yields stops nothing but its own thread", async () => {
    const id = await kernel.send("execute_request", { code: "console.log('in'); for (;;) {}" });
    await kernel.when("the loop", () => (stdout(kernel.of(id)) === "in\n" ? true : undefined));
    assert.equal(await kernel.heartbeat(), "ping");
    assert.equal((await kernel.ask("is_complete_request", { code: "1" })).reply.content.status, "complete");
    await kernel.ask("interrupt_request", {}, { channel: "control" });
    assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
  });
});

suite("a queue of cells", () => {
  const sendAll = async (content: Record<string, unknown>) => {
    const codes = [
      "'before'",
      "await new Promise((r) => setTimeout(r, 50)); throw new Error('stop')",
      "'after'",
      "'last'",
    ];
    const ids = [];
    for (const code of codes) ids.push(await kernel.send("execute_request", { code, ...content }));
    return Promise.all(ids.map((id) => kernel.ran(id)));
  };

  test("stop_on_error: what waits behind a failed cell is aborted, and told so", async () => {
    const ran = await sendAll({});
    assert.deepEqual(
      ran.map(({ reply }) => reply.content.status),
      ["ok", "error", "aborted", "aborted"],
    );
    assert.deepEqual(types(ran[2]!.published), ["status", "status"]);
    assert.equal("execution_count" in ran[2]!.reply.content, false, "a front end would show it before the cell");
    assert.equal((await kernel.execute("'again'")).reply.content.status, "ok");
  });

  test("stop_on_error: false goes on", async () => {
    const ran = await sendAll({ stop_on_error: false });
    assert.deepEqual(
      ran.map(({ reply }) => reply.content.status),
      ["ok", "error", "ok", "ok"],
    );
  });
});

suite("output", () => {
  test("printed and displayed things keep their order", async () => {
    const { published } = await kernel.execute(
      "console.log(1); console.error(2); display({ 'text/plain': '3' }); console.log(4); 5",
    );
    const seen = published
      .filter(({ header }) => ["stream", "display_data", "execute_result"].includes(header.msg_type))
      .map(({ content }) => (content.text ?? content.data["text/plain"]).trim());
    assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
    assert.deepEqual(states(published), ["busy", "idle"]);
  });

  test("what a cell prints after its end goes to that cell, also while another runs", async () => {
    const early = await kernel.send("execute_request", { code: "setTimeout(() => console.log('late'), 100)" });
    await kernel.ran(early);
    const { published } = await kernel.execute("await new Promise((r) => setTimeout(r, 200)); console.log('mine')");
    assert.equal(stdout(published), "mine\n");
    assert.equal(stdout(kernel.of(early)), "late\n");
  });

  test("an update is published under the running request, else under the display's own", async () => {
    const owner = await kernel.send("execute_request", {
      code: "const later = display({ 'text/plain': 'a' }, { id: 'd1' }); setTimeout(() => later.update({ 'text/plain': 'b' }), 50)",
    });
    await kernel.ran(owner);
    await kernel.when("the update", () => ofType(kernel.of(owner), "update_display_data")[0]);
    const { published } = await kernel.execute("later.update({ 'text/plain': 'c' })");
    assert.equal(ofType(published, "update_display_data")[0]!.content.transient.display_id, "d1");
  });

  test("a forgotten promise and a throwing timer are told, and the kernel lives on", async () => {
    const id = await kernel.send("execute_request", {
      code: "void Promise.reject(new Error('forgotten')); setTimeout(() => { throw new Error('timer') }, 10)",
    });
    await kernel.when("both errors", () => {
      const told = stdout(kernel.of(id), "stderr");
      return told.includes("forgotten") && told.includes("timer") ? true : undefined;
    });
    assert.equal((await kernel.execute("1")).reply.content.status, "ok");
  });
});

suite("a cell that would end the kernel", () => {
  for (const code of [
    "process.exit(3)",
    "process.abort()",
    "setTimeout(() => process.exit(), 0); await new Promise(() => {}).catch(() => {})",
  ])
    test(code, async () => {
      const id = await kernel.send("execute_request", { code });
      if (code.startsWith("set")) {
        await kernel.when(
          "the refusal",
          () => stdout(kernel.of(id), "stderr").includes("would end the kernel") || undefined,
        );
        await kernel.ask("interrupt_request", {}, { channel: "control" });
        await kernel.ran(id);
      } else assert.match((await kernel.ran(id)).reply.content.evalue, /would end the kernel/);
      assert.equal(result((await kernel.execute("'alive'")).published), "'alive'");
    });

  test("a warning that a cell causes is told in the cell", async () => {
    assert.match(stdout((await kernel.execute("process.emitWarning('careful')")).published, "stderr"), /careful/);
  });
});

suite("input", () => {
  const answer = (value: string) => kernel.send("input_reply", { value }, { channel: "stdin" });

  test("a password is asked for as one", async () => {
    const id = await kernel.send("execute_request", { code: "prompt('Key: ', { password: true })" });
    assert.deepEqual((await kernel.inputRequest(id)).content, { prompt: "Key: ", password: true });
    await answer("s3cret");
    assert.equal(result((await kernel.ran(id)).published), "'s3cret'");
  });

  test("confirm", async () => {
    const id = await kernel.send("execute_request", { code: "confirm('Sure?')" });
    assert.match((await kernel.inputRequest(id)).content.prompt, /^Sure\?/);
    await answer("y");
    assert.equal(result((await kernel.ran(id)).published), "true");
  });

  test("where nobody can be asked the default is taken", async () => {
    assert.equal(
      result((await kernel.execute("prompt('x', 'fallback')", { allow_stdin: false })).published),
      "'fallback'",
    );
  });

  test("without a default the cell fails", async () => {
    for (const code of ["prompt('x')", "confirm('x')"])
      assert.match(
        (await kernel.execute(code, { allow_stdin: false })).reply.content.evalue,
        /nobody can be asked "x"/,
      );
  });

  test("an interrupt ends the wait", async () => {
    const id = await kernel.send("execute_request", { code: "prompt('?')" });
    await kernel.inputRequest(id);
    await kernel.ask("interrupt_request", {}, { channel: "control" });
    assert.equal((await kernel.ran(id)).reply.content.ename, "Interrupted");
  });
});

suite("cells of a notebook", () => {
  const cell = (id: string, deletedCells: string[] = []) => ({ cellId: id, deletedCells });

  test("what a cell started ends when it is run again or deleted", async () => {
    await kernel.execute("const ticks: Record<string, number> = {}");
    const ticking = (name: string) =>
      `setInterval(() => { ticks.${name} = (ticks.${name} ?? 0) + 1 }, 5); cell.signal.addEventListener('abort', () => console.log('closed ${name}'))`;
    const first = await kernel.execute(ticking("a"), {}, cell("c-a"));
    const second = await kernel.execute(ticking("b"), {}, cell("c-b"));
    await kernel.execute("1", {}, cell("c-a"));
    await kernel.execute("2", {}, cell("c-x", ["c-b"]));
    for (const { reply } of [first, second])
      await kernel.when("closed", () =>
        /closed/.test(stdout(kernel.of(reply.parent.msg_id as string))) ? true : undefined,
      );
    const before = result((await kernel.execute("JSON.stringify(ticks)")).published);
    await kernel.execute("await new Promise((r) => setTimeout(r, 60))");
    assert.equal(result((await kernel.execute("JSON.stringify(ticks)")).published), before);
  });

  test("a cell deleted while it waits ends, with its timers, and what waits behind it runs", async () => {
    const code = "console.log('in'); setInterval(() => {}, 5); await new Promise((r) => setTimeout(r, 60_000))";
    const id = await kernel.send("execute_request", { code }, { metadata: cell("c-deleted") });
    await kernel.when("the wait", () => stdout(kernel.of(id)) === "in\n" || undefined);
    const behind = await kernel.send("execute_request", { code: "'behind'" });
    await kernel.send("comm_open", { comm_id: "gone", target_name: "millrace.cells", data: { closed: ["c-deleted"] } });
    const { content } = (await kernel.ran(id)).reply;
    assert.deepEqual([content.ename, content.evalue], ["AbortError", "the cell was deleted"]);
    assert.equal(result((await kernel.ran(behind)).published), "'behind'");
  });

  test("the timers of a deleted cell end without another cell being run", async () => {
    const code = "setInterval(() => console.log('tick'), 5)";
    const { reply } = await kernel.execute(code, {}, cell("c-ticks"));
    const ticks = () => stdout(kernel.of(reply.parent.msg_id!)).length;
    await kernel.when("a tick", () => ticks() > 0 || undefined);
    const gone = { comm_id: "gone 2", target_name: "millrace.cells", data: { closed: ["c-ticks"] } };
    const told = await kernel.send("comm_open", gone);
    await kernel.when("its end", () => states(kernel.of(told)).at(-1) === "idle" || undefined);
    await kernel.execute("await new Promise((r) => setTimeout(r, 50))");
    const then = ticks();
    await kernel.execute("await new Promise((r) => setTimeout(r, 100))");
    assert.equal(ticks(), then);
  });

  test("the journal travels with the outputs", async () => {
    const { published, reply } = await kernel.execute("'journalled'", {}, cell("c-j"));
    const { millrace } = ofType(published, "execute_result")[0]!.content.metadata;
    assert.equal(millrace.cellId, "c-j");
    assert.equal(millrace.executionCount, reply.content.execution_count);
    assert.match(millrace.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(millrace.reads, []);
  });

  test("that of a cell without output travels with its reply, and is kept in the session's file", async () => {
    const { reply } = await kernel.execute("const quiet = 1", {}, cell("c-q"));
    const { millrace } = reply.metadata as { millrace: JournalEntry };
    assert.deepEqual([millrace.cellId, millrace.ok], ["c-q", true]);
    const kept = readJournal(millrace.session, `${kernel.folder}/journal`);
    assert.deepEqual(kept.get("c-q"), millrace);
    const failed = await kernel.execute("throw 1", {}, cell("c-q"));
    assert.equal((failed.reply.metadata.millrace as JournalEntry).ok, false);
    assert.equal(readJournal(millrace.session, `${kernel.folder}/journal`).get("c-q")?.ok, false);
    assert.equal(readJournal("../elsewhere", `${kernel.folder}/journal`).size, 0);
  });
});
