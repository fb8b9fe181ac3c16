// Standard clients, driven for real: nbclient (by nbconvert), papermill, jupytext, jupyter console.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { installPapermillTranslator } from "../../kernel/cli/jupyter/papermill.ts";
import { installedJupytext } from "./installed-jupytext.ts";
import { jupyterFolder, python, tool } from "./python.ts";

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

const papermilled = async (name: string, ...parameters: string[]) => {
  const out = path.join(jupyter.folder, `done-${name}`);
  const { code, stderr } = await jupyter.run(tool("papermill"), path.join(jupyter.folder, name), out, ...parameters);
  return { code, stderr, out };
};

test("papermill executes with parameters: constants of the tagged cell, and what param() reads", async () => {
  installPapermillTranslator(path.dirname(path.dirname(tool("papermill"))));
  const file = await notebook(
    "paper.ipynb",
    "const base = 20;\nconst label = 'none'; // shown\nlet flags: unknown = null;",
    'const lag = Number(process.env.MAX_LAG ?? "1"); [base + 1, label, flags, lag]',
  );
  const raw = JSON.parse(await readFile(file, "utf8"));
  raw.cells[0].metadata.tags = ["parameters"];
  await writeFile(file, JSON.stringify(raw));
  const set = [
    "-p",
    "base",
    "41",
    "-p",
    "label",
    'a "b" \\n',
    "-y",
    "{flags: [true, null, {x: 1.5}]}",
    "-p",
    "maxLag",
    "7",
  ];
  const given = await papermilled("paper.ipynb", ...set);
  assert.equal(given.code, 0, given.stderr);
  const [, injected, last] = await outputs(given.out);
  assert.deepEqual(injected, []);
  assert.equal(join(last![0].data["text/plain"]), "[ 42, 'a \"b\" \\\\n', [ true, null, { x: 1.5 } ], 7 ]");
  const help = await jupyter.run(tool("papermill"), "--help-notebook", file);
  assert.match(help.stdout, /base: Unknown type \(default 20\)/);
});

test("papermill refuses a parameter that is no name", async () => {
  const { code, stderr } = await papermilled("paper.ipynb", "-p", "not-a-name", "1");
  assert.notEqual(code, 0);
  assert.match(stderr, /'not-a-name' is no name in TypeScript/);
});

test("jupytext: a percent script in TypeScript is paired with its notebook, and executed", async () => {
  const file = await notebook(
    "paired.ipynb",
    "const half: number = 21;",
    "// a comment\nhalf * 2",
    "#!/usr/bin/env node\n'kept'",
  );
  const jupytext = await installedJupytext();
  const to = await jupyter.run(python(), ...jupytext, "--to", "ts:percent", file);
  assert.equal(to.code, 0, to.stderr);
  const script = path.join(jupyter.folder, "paired.ts");
  const text = await readFile(script, "utf8");
  assert.match(text, /^\/\/ %%\nconst half: number = 21;$/m);
  assert.match(text, /name: millrace/, "the script names its kernel");
  await writeFile(script, text.replace("half * 2", "half * 4"));
  const back = await jupyter.run(
    python(),
    ...jupytext,
    "--to",
    "ipynb",
    "--execute",
    "--output",
    "executed.ipynb",
    script,
  );
  assert.equal(back.code, 0, back.stderr);
  const [, shown, last] = await outputs(path.join(jupyter.folder, "executed.ipynb"));
  assert.equal(join(shown![0].data["text/plain"]), "84");
  assert.equal(join(last![0].data["text/plain"]), "'kept'");
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

test("jupyter console in a terminal: lines that go on, completion by Tab, Ctrl-C, Ctrl-D", async () => {
  const script = path.join(import.meta.dirname, "console_terminal.py");
  const { code, stdout, stderr } = await jupyter.run(python(), script, tool("jupyter-console"));
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /exit 0/);
});
