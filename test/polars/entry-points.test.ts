import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";

// Whichever entry point of the library a program imports first, and whatever it imports beside it, nodejs-polars is read as fast-objects.ts wants
// it. What that changes is seen by a column called "height"; cheap objects come by the same file.
const lib = path.resolve(import.meta.dirname, "../../lib");
const { exports } = JSON.parse(await readFile(path.join(lib, "package.json"), "utf8"));
const entries = Object.keys(exports)
  .filter((entry) => entry !== "./package.json" && entry !== "./log") // columns of bytes, without Polars
  .map((entry) => `millrace${entry.slice(1)}`);

const alone = [...entries.map((entry) => [entry]), ["millrace", "millrace/job"], [...entries].reverse()];
const beside = entries.map((entry) => [entry, "nodejs-polars"]);
for (const program of [...alone, ...beside]) {
  test(`import ${program.join(", ")}`, async (t) => {
    const folder = await mkdtemp(path.join(lib, "../test/polars/entry-"));
    t.after(() => rm(folder, { recursive: true }));
    const lines = [
      ...program.map((entry) => `import ${JSON.stringify(entry)};`),
      // as the library itself has it, after the imports above
      `const { default: pl } = await import("nodejs-polars");`,
      `console.log(pl.DataFrame({ height: [7, 8] }).height);`,
    ];
    await writeFile(path.join(folder, "main.mjs"), lines.join("\n"));
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder, "main.mjs")]);
    assert.equal(stdout, "2\n");
  });
}
