import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { session } from "../kernel/cells/session.ts";
import { notebookText } from "./notebooks.ts";
import { millraceAgain } from "./run-command.ts";

const env = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };

// What a notebook is like after an hour of work: cells run again, edited, deleted; in a real session, saved as JupyterLab saves it.
test("a slice is one of executions: cells that ran again, were edited, deleted, or add up", async () => {
  const { interpreter, folder, run } = await session();
  const [file, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(path.join(folder, "counter.ts"), "let n = 0;\nexport const next = () => ++n;\n");
  const cells = new Map<string, { source: string; count: number }>();
  const execute = async (id: string, source = cells.get(id)!.source) => {
    const { traceback, end } = await run(source, { cellId: id });
    assert.equal(traceback, "");
    cells.set(id, { source, count: end.executionCount });
  };
  const promote = async (...more: string[]) => {
    const saved = [...cells].map(([id, { source, count }]) => {
      const millrace = interpreter.journal.entries.findLast(({ cellId }) => cellId === id);
      return { id, source, count, metadata: { millrace } };
    });
    await writeFile(file, notebookText(saved));
    return await millraceAgain(["promote", file, "--out", job, ...more], { env });
  };

  await execute(
    "head",
    'import { pl, topic } from "millrace";\nconst phone = topic("phones", { schema: { x: "Float64" } });',
  );
  await execute("limit", "const limit = 2;");
  await execute("frame", 'const over = phone.filter(pl.col("x").gt(limit));');
  await execute("sink", 'const sink = over.to("out");');
  const made = await promote();
  assert.equal(made.code, 0, made.stderr);

  // what ran again, unchanged, is what it was, also where what is below has not run again
  await execute("frame");
  await execute("limit");
  const same = await promote("--check");
  assert.equal(same.code, 0, same.stdout + same.stderr);

  await execute("limit", "const limit = 3;");
  const stale = await promote("--check");
  assert.equal(stale.code, 2, stale.stdout);
  assert.match(
    stale.stderr,
    /OUT_OF_ORDER: [\s\S]*cell 3 \(frame\), line 1[\s\S]*OUT_OF_ORDER: [\s\S]*cell 4 \(sink\)/,
  );
  await execute("frame");
  await execute("sink");
  const drifted = await promote("--check");
  assert.equal(drifted.code, 1, drifted.stdout + drifted.stderr);
  assert.match(drifted.stdout, /^ {2}main\.ts$/m);

  // a cell that is gone had changed what a kept one uses
  await execute("settings", "const settings = { most: 5 };");
  await execute("gone", "settings.most = 9;");
  await execute("low", 'const low = phone.filter(pl.col("x").lt(settings.most)).to("low");');
  cells.delete("gone");
  const lost = await promote();
  assert.equal(lost.code, 2, lost.stdout);
  assert.match(lost.stderr, /DIFFERENT_SINK: The sink to "low"[\s\S]*cell 6 \(low\), line 1[\s\S]*what to do:/);
  await execute("settings");
  await execute("low");
  const mended = await promote();
  assert.equal(mended.code, 0, mended.stderr);

  // a cell that adds up ran twice; the job runs it once
  await execute("count", 'import { next } from "./counter.ts";\nconst n = next();');
  await execute("count");
  await execute("third", 'const third = phone.filter(pl.col("x").gt(n)).to("third");');
  const twice = await promote();
  assert.equal(twice.code, 2, twice.stdout);
  assert.match(twice.stderr, /DIFFERENT_SINK: The sink to "third"[\s\S]*cell 8 \(third\), line 1/);
});
