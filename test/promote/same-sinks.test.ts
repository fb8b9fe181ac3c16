import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { linearModel } from "../operators/onnx-file.ts";
import { notebookText, type TestCell, temporaryFolder } from "./notebooks.ts";
import { millrace, millraceAgain } from "./run-command.ts";

const HEAD =
  'import { param, pl, topic } from "millrace";\nconst phone = topic("phones", { schema: { x: "Float64" } });';

/** Runs the cells headless, then promotes them; needs no broker, as nothing is read. */
async function promoted(cells: readonly TestCell[], run: readonly string[] = []) {
  const folder = await temporaryFolder();
  const [file, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(file, notebookText(cells));
  const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const ran = await millrace(["run", file, ...run], { env });
  assert.equal(ran.code, 0, ran.stderr);
  const promote = async (...more: string[]) => ({
    job,
    ...(await millraceAgain(["promote", file, "--out", job, ...more], { env })),
  });
  return { ...(await promote()), promote };
}

test("a sink that is the same program in the job is promoted, with other parameters than the defaults, too", async () => {
  const cells = [HEAD, 'const sink = phone.filter(pl.col("x").gt(param("limit", 2))).to("out");'];
  for (const run of [[], ["-p", "limit=3"]]) {
    const { code, stderr } = await promoted(cells, run);
    assert.equal(code, 0, stderr);
  }
});

test("a job with an ONNX model has the runtime in the notebook's version, and is refused where there is none", async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, "book.ipynb");
  await writeFile(path.join(folder, "linear.onnx"), linearModel([2], 1));
  await writeFile(
    file,
    notebookText([
      HEAD,
      'const name = ["linear", "onnx"].join(".");\nconst sink = phone.predict(name, { features: "x", as: "crash" }).to("out");',
    ]),
  );
  const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const job = path.join(folder, "job");
  const refused = await millraceAgain(["promote", file, "--out", job], { env });
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(
    refused.stderr,
    /UNRESOLVED_IMPORT: The model linear\.onnx[\s\S]*npm install --save-exact onnxruntime-node/,
  );
  await mkdir(path.join(folder, "node_modules/onnxruntime-node"), { recursive: true });
  await writeFile(path.join(folder, "node_modules/onnxruntime-node/package.json"), '{"version":"1.30.0"}');
  const made = await millraceAgain(["promote", file, "--out", job], { env });
  assert.equal(made.code, 0, made.stderr);
  const { packages, copied } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  assert.deepEqual(packages, { "onnxruntime-node": "1.30.0" });
  assert.deepEqual(Object.keys(copied), ["linear.onnx"]); // named by an expression: found when it was opened
  const { dependencies } = JSON.parse(await readFile(path.join(job, "package.json"), "utf8"));
  assert.equal(dependencies["onnxruntime-node"], "1.30.0");
});

test("a file of this machine under a computed name is refused in the cell that opens it", async () => {
  const folder = await temporaryFolder();
  const [book, job] = [path.join(folder, "book"), path.join(folder, "job")];
  await mkdir(book);
  const file = path.join(book, "book.ipynb");
  for (const name of ["limit.txt", "book/own.txt"]) await writeFile(path.join(folder, name), "3");
  await writeFile(
    file,
    notebookText([
      `${HEAD}\nimport { readFileSync } from "node:fs";\nimport path from "node:path";`,
      'const own = readFileSync(path.join(process.cwd(), ["own", "txt"].join(".")), "utf8");\nconst limit = readFileSync(path.resolve(process.cwd(), "..", "limit" + ".txt"), "utf8");',
      'const sink = phone.filter(pl.col("x").gt(Number(limit) + Number(own))).to("out");',
    ]),
  );
  const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const { code, stderr } = await millraceAgain(["promote", file, "--out", job], { env });
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /1 reason[\s\S]*ABSOLUTE_PATH: The job needs \S+\/limit\.txt[\s\S]*where: cell 2 \(c2\), line 2\n/,
  );
});

test("a sink that depends on the clock is refused; --allow lets it through and notes it", async () => {
  const cells = [HEAD, 'const now = Date.now();\nconst sink = phone.filter(pl.col("x").gt(now)).to("out");'];
  const { code, stderr, promote } = await promoted(cells);
  assert.equal(code, 2);
  assert.match(stderr, /DIFFERENT_SINK: The sink to "out"[\s\S]*cell 2 \(c2\), line 2[\s\S]*what to do:/);
  const allowed = await promote("--allow", "DIFFERENT_SINK");
  assert.equal(allowed.code, 0, allowed.stderr);
  const { allowed: noted } = JSON.parse(await readFile(path.join(allowed.job, "promotion.json"), "utf8"));
  assert.deepEqual([noted[0].code, noted[0].cell, noted[0].line], ["DIFFERENT_SINK", 2, 2]);
});

test("a change that no analysis of names can see is found by the plan", async () => {
  const cells = [
    HEAD,
    "const settings = { limit: 1 };\nconst hidden: any = { settings };",
    "Reflect.apply((o: any) => { o.settings.limit = 9; }, undefined, [hidden]);",
    'const sink = phone.filter(pl.col("x").gt(settings.limit)).to("out");',
  ];
  const { code, stderr } = await promoted(cells);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /DIFFERENT_SINK|MUTATED_ACROSS_CELLS/);
});

test("a sink made where no statement shows it is refused rather than lost", async () => {
  const cells = [HEAD, 'const a = phone.to("a");', 'Reflect.apply((phone as any)["to"], phone, ["b"]);\nundefined'];
  const { code, stderr } = await promoted(cells);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /DIFFERENT_SINK: This cell declared a sink to "b" when it ran[\s\S]*cell 3/);
});
