// What outlives a kernel, and what ends it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { until } from "../../support/until.ts";
import { result, stdout, TestKernel } from "../test-kernel.ts";

test("history lives on in the next kernel, also behind lines that are none", async () => {
  await using first = await TestKernel.start({ files: { "history.jsonl": 'null\n{"session":"x"}\n{"session":1,"li' } });
  for (const code of ["'first'", "'second'"]) await first.execute(code);
  await using next = await TestKernel.start({ env: { MILLRACE_HISTORY: `${first.folder}/history.jsonl` } });
  await next.execute("'third'");
  const ask = async (content: Record<string, unknown>) =>
    (await next.ask("history_request", { raw: true, output: false, ...content })).reply.content.history;
  assert.deepEqual(await ask({ hist_access_type: "tail", n: 2 }), [
    [1, 2, "'second'"],
    [2, 1, "'third'"],
  ]);
  assert.deepEqual(await ask({ hist_access_type: "range", session: -1, start: 1, stop: 2 }), [[1, 1, "'first'"]]);
  assert.deepEqual(await ask({ hist_access_type: "range", session: 1, start: 1 }), [
    [1, 1, "'first'"],
    [1, 2, "'second'"],
  ]);
  assert.deepEqual(await ask({ hist_access_type: "search", pattern: "*ir*" }), [
    [1, 1, "'first'"],
    [2, 1, "'third'"],
  ]);
  assert.deepEqual(await ask({ hist_access_type: "search", pattern: "*ir*", n: 1, output: true }), [
    [2, 1, ["'third'", null]],
  ]);
});

test("history is searched by globs; with unique the latest of each input is given once", async () => {
  await using kernel = await TestKernel.start();
  for (const code of ["'abc'", "'bbc'", "'[x]'", "'abc'", "'a😀c'"]) await kernel.execute(code);
  const search = async (pattern: string, more: Record<string, unknown> = {}) =>
    (
      await kernel.ask("history_request", { hist_access_type: "search", raw: true, output: false, pattern, ...more })
    ).reply.content.history.map(([, line, input]: [number, number, string]) => `${line} ${input}`);
  for (const [pattern, found] of [
    ["*bc*", ["1 'abc'", "2 'bbc'", "4 'abc'"]],
    ["'a?c'", ["1 'abc'", "4 'abc'", "5 'a😀c'"]],
    ["*[^a]bc*", ["2 'bbc'"]],
    ["*[a-b]bc*", ["1 'abc'", "2 'bbc'", "4 'abc'"]],
    ["'[[]x]'", ["3 '[x]'"]],
    ["'[x]'", []],
    ["[", []],
    ["[z-a]*", []],
  ] as const)
    assert.deepEqual(await search(pattern), found, pattern);
  assert.deepEqual(await search("*bc*", { unique: true }), ["2 'bbc'", "4 'abc'"]);
  assert.deepEqual(await search("*bc*", { unique: true, n: 1 }), ["4 'abc'"]);
});

test("a console is answered while the language thread is still starting", async () => {
  await using kernel = await TestKernel.start();
  const cell = await kernel.send("execute_request", { code: "1" });
  const first = await kernel.ask("is_complete_request", { code: "if (true) {" });
  assert.deepEqual(first.reply.content, { status: "incomplete", indent: "  " });
  assert.deepEqual(
    kernel.of(cell).filter(({ header }) => header.msg_type === "execute_result"),
    [],
  );
  assert.equal((await kernel.ran(cell)).reply.content.status, "ok");
});

/** A process that has ended and of which nobody has taken note is not alive. */
const isAlive = (pid: number | undefined): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
/** Those whose command line holds a text, with the group each belongs to. */
const processes = (text: string) =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text)) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return [{ pid: Number(pid), group: Number(stat.slice(stat.lastIndexOf(")")).split(" ")[3]) }];
    } catch {
      return []; // no process, or one that has ended meanwhile
    }
  });
const hasEnded = ({ process: child }: TestKernel) => child.exitCode !== null || child.signalCode !== null;

suite("the end", { concurrency: true }, () => {
  test("shutdown ends a kernel whose cell never yields", async () => {
    await using busy = await TestKernel.start();
    const id = await busy.send("execute_request", { code: "console.log('in'); for (;;) {}" });
    await busy.when("the loop", () => (stdout(busy.of(id)) === "in\n" ? true : undefined));
    await busy.ask("shutdown_request", { restart: true }, { channel: "control" });
    await until("the kernel to end", () => hasEnded(busy), 10_000);
  });

  for (const [when, then] of [
    ["a kernel at rest", ""],
    ["one whose cell never yields", "for (;;) {}"],
  ])
    test(`the processes that cells started end with ${when}, but for those that are detached`, async () => {
      await using other = await TestKernel.start();
      const seconds = 1e6 + other.process.pid!;
      const { published } = await other.execute(
        `import { spawn } from "node:child_process";
        const sh = (script: string, detached = false) => spawn("sh", ["-c", script + "sleep ${seconds}; sleep ${seconds}"], { detached, stdio: "ignore" }).pid;
        JSON.stringify([sh(""), sh("trap '' TERM; "), sh("", true)])`,
      );
      const [plain, stubborn, detached] = JSON.parse(result(published)!.slice(1, -1)) as number[];
      assert.deepEqual([plain, stubborn, detached].map(isAlive), [true, true, true]);
      const id = await other.send("execute_request", { code: `console.log("in"); ${then}` });
      await other.when("the last cell", () => stdout(other.of(id)) === "in\n" || undefined);
      await other.ask("shutdown_request", { restart: true }, { channel: "control" });
      await until("the kernel to end", () => hasEnded(other), 10_000);
      const left = () => processes(`sleep ${seconds}`).filter(({ group }) => group !== detached);
      await until("its children to end, and theirs", () => left().length === 0, 5000);
      assert.deepEqual([plain, stubborn].map(isAlive), [false, false]);
      assert.equal(isAlive(detached!), true);
      process.kill(-detached!, "SIGKILL");
    });

  test("the kernel ends when the process that started it is gone", async () => {
    const parent = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await using orphan = await TestKernel.start({ env: { JPY_PARENT_PID: String(parent.pid) } });
    await orphan.execute("1");
    parent.kill("SIGKILL");
    await until("the kernel to end", () => hasEnded(orphan), 15_000);
  });

  test("SIGTERM ends it cleanly", async () => {
    await using other = await TestKernel.start();
    await other.execute("setInterval(() => {}, 10)");
    other.process.kill("SIGTERM");
    assert.equal(await other.ended(), 0);
  });
});
