import { parseArgs } from "node:util";
import { TestKernel } from "../test/kernel/test-kernel.ts";

const HELP = `usage: npm run bench -- kernel [--cells 1000]
A kernel process, asked over its sockets: how long it takes to start, to run cells and to answer; in milliseconds.`;

/** What the kernel does in answer to a person, measured from the request to the reply. */
export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { cells: { type: "string", default: "1000" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(HELP);
  const cells = Number(values.cells);

  const begun = performance.now();
  {
    await using kernel = await TestKernel.start();
    row("process start to the first message", performance.now() - begun);
    await timed(kernel, "first cell: 1 + 1", "1 + 1");
    await timed(kernel, "first cell that imports millrace, right after", IMPORT);
    await timed(kernel, "the same again", IMPORT);
    await timed(kernel, "a cell of 2,000 lines, right after", longCell(2000));
  }
  await using kernel = await TestKernel.start();
  await kernel.execute("await new Promise((r) => setTimeout(r, 3000))");
  await timed(kernel, "first cell that imports millrace, 3 s after the start", IMPORT);
  await new Promise((resolve) => setTimeout(resolve, 8000));
  await timed(kernel, "a cell of 2,000 lines, after 8 s of reading", longCell(2000));
  await timed(kernel, "an edited one", `${longCell(2000)}\n1`);

  const times: number[] = [];
  const memory = async () => Number((await kernel.printed("console.log(process.memoryUsage().rss)")).trim()) / 1e6;
  const before = await memory();
  for (let n = 1; n <= cells; n++) {
    const cell = `const v${n} = ${n === 1 ? "1" : `v${n - 1} + 1`}; function f${n}(x: number) { return x + v${n} } f${n}(1)`;
    times.push(await time(() => kernel.execute(cell)));
  }
  for (const n of [2, 10, 100, 500, 1000].filter((each) => each <= cells))
    row(`cell ${n} (median of 5 around it)`, median(times.slice(Math.max(0, n - 3), n + 2)));
  const cursor = (code: string) => ({ code, cursor_pos: code.length });
  await kernel.ask("complete_request", cursor("v1"));
  row("completion", await time(() => kernel.ask("complete_request", cursor("pl.col('a').su"))));
  row("inspection", await time(() => kernel.ask("inspect_request", cursor("pl.col"))));
  row("interrupt of a loop, to the reply", await interrupt(kernel));
  console.log(`memory after ${cells} cells: ${Math.round(await memory())} MB, before: ${Math.round(before)} MB`);
}

const IMPORT = 'import { topic, pl } from "millrace";\nconst doubled = pl.col("a").multiplyBy(2);';

const longCell = (lines: number) =>
  Array.from({ length: lines / 4 }, (_, n) =>
    [
      `interface Row${n} { readonly id: number; readonly name: string }`,
      `const rows${n}: Row${n}[] = [{ id: ${n}, name: "row ${n}" }];`,
      `function find${n}(id: number): Row${n} | undefined { return rows${n}.find((row) => row.id === id) }`,
      `const found${n} = find${n}(${n})?.name.length;`,
    ].join("\n"),
  ).join("\n");

async function timed(kernel: TestKernel, what: string, code: string): Promise<void> {
  const id = await kernel.send("execute_request", { code });
  const begun = performance.now();
  const { content } = await kernel.reply(id, "shell", 60_000);
  if (content.status !== "ok") throw new Error(`${what}: ${content.traceback?.join("\n")}`);
  row(what, performance.now() - begun);
}

async function interrupt(kernel: TestKernel): Promise<number> {
  const id = await kernel.send("execute_request", { code: "console.log('in'); for (;;) {}" });
  await kernel.when("the loop", () =>
    kernel.of(id).some(({ header }) => header.msg_type === "stream") ? true : undefined,
  );
  return time(async () => {
    await kernel.send("interrupt_request", {}, { channel: "control" });
    await kernel.reply(id);
  });
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const row = (what: string, ms: number) => console.log(`${what.padEnd(56)} ${ms.toFixed(0).padStart(6)} ms`);
