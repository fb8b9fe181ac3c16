// Standard clients, driven for real: nbclient (by nbconvert), papermill, jupyter console.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { jupyterFolder, tool } from "./python.ts";

const jupyter = await jupyterFolder();

const cell = (id: string, source: string) => ({
  cell_type: "code",
  id,
  metadata: {},
  execution_count: null,
  outputs: [],
  source,
});

async function notebook(name: string, ...sources: string[]): Promise<string> {
  const file = path.join(jupyter.folder, name);
  const kernelspec = { name: "millrace", display_name: "TypeScript (Millrace)", language: "typescript" };
  const cells = sources.map((source, at) => cell(`cell-${at}`, source));
  await writeFile(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
  return file;
}

const outputs = async (file: string): Promise<any[][]> =>
  JSON.parse(await readFile(file, "utf8")).cells.map((each: any) => each.outputs);
const join = (text: string | string[]) => (Array.isArray(text) ? text.join("") : text);

/** A live display as the library makes one: it changes on a timer, holds a headless cell busy and leaves a last frame. */
const LIVE = `
const host = (globalThis as any)[Symbol.for("millrace.host")];
const live = host.display({ "text/plain": "frame 0" });
let n = 0;
const timer = setInterval(() => live.update({ "text/plain": "frame " + ++n }), 10);
if (host.headless) host.hold(new Promise<void>((done) => setTimeout(() => { clearInterval(timer); live.update({ "text/plain": "last frame" }); done(); }, 300)));
`;

test("nbconvert --execute: a live cell is bounded and leaves its last frame; later updates reach earlier cells", async () => {
  const file = await notebook(
    "live.ipynb",
    LIVE,
    `const shown = display({ "text/plain": "before" }); console.log("printed"); ({ answer: 42 })`,
    `shown.update({ "text/plain": "after" }); host.recordRead({ topic: "t", schema: { b: "Int64", a: "Utf8" }, ranges: { 0: [0, 5] } }); "end"`,
    `setTimeout(() => console.log("too late for nbclient"), 5); await new Promise((r) => setTimeout(r, 20))`,
  );
  const { code, stderr } = await jupyter.run(
    tool("jupyter-nbconvert"),
    "--to",
    "notebook",
    "--execute",
    "--output",
    "done.ipynb",
    file,
  );
  assert.equal(code, 0, stderr);
  const [live, updated, last] = await outputs(path.join(jupyter.folder, "done.ipynb"));
  assert.equal(join(live![0].data["text/plain"]), "last frame");
  assert.equal(join(updated!.find((each) => each.output_type === "display_data").data["text/plain"]), "after");
  assert.equal(join(updated!.find((each) => each.output_type === "stream").text), "printed\n");
  assert.equal(
    join(updated!.find((each) => each.output_type === "execute_result").data["text/plain"]),
    "{ answer: 42 }",
  );
  assert.deepEqual(last![0].metadata.millrace.reads, [
    { topic: "t", schema: { b: "Int64", a: "Utf8" }, columns: ["b", "a"], ranges: { 0: [0, 5] } },
  ]);
});

test("nbconvert --execute: an error stops, and is saved with cell and line", async () => {
  const file = await notebook("fails.ipynb", "1", "throw new Error('on purpose')", "2");
  const { code, stderr } = await jupyter.run(
    tool("jupyter-nbconvert"),
    "--to",
    "notebook",
    "--execute",
    "--output",
    "failed.ipynb",
    file,
  );
  assert.notEqual(code, 0);
  assert.match(stderr, /on purpose/);
  assert.match(stderr, /cell 2:1:7/);
});

test("papermill executes", async () => {
  const file = await notebook("paper.ipynb", "const base = 20", "base + 1");
  const out = path.join(jupyter.folder, "papered.ipynb");
  const { code, stderr } = await jupyter.run(tool("papermill"), file, out);
  assert.equal(code, 0, stderr);
  assert.equal(join((await outputs(out))[1]![0].data["text/plain"]), "21");
});

test("jupyter console runs what is typed", async () => {
  const child = spawn(tool("jupyter-console"), ["--kernel", "millrace", "--simple-prompt"], {
    cwd: jupyter.folder,
    env: jupyter.env,
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    if (/Out\[2\]/.test(output)) child.stdin.end();
  });
  child.stdin.write("const typed = 40\ntyped + 2\n");
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  await new Promise((resolve) => child.on("exit", resolve));
  clearTimeout(timer);
  assert.match(output, /Out\[2\]:? *42/);
});
