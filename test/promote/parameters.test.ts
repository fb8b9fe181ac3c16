import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { millrace, runCommand } from "./run-command.ts";

const lib = path.resolve(import.meta.dirname, "../../lib");
const SINCE = "2026-01-01T00:00:00.000Z";

const CELLS = [
  'import { param, pl, topic } from "millrace";\nconst phone = topic("phones", { schema: { x: "Float64" } });',
  `const limit = param("limit", 2.5, { min: 0, max: 10, description: "of the force" });
const mode = param("mode", "mean", { choices: ["mean", "max"] });
const isOn = param("isOn", true);
const since = param("since", new Date(${JSON.stringify(SINCE)}));`,
  { tags: ["parameters"], source: 'const label = "a$b";' },
  'phone.filter(pl.col("x").gt(limit + mode.length + label.length + +isOn + +since)).to("out");',
];

/** A value from outside, what the start says of it, and what it is to the schema. */
const WRONG: readonly {
  args?: string[];
  env?: Record<string, string>;
  says: RegExp;
  value: Record<string, unknown>;
}[] = [
  { args: ["--limit", "much"], says: /"limit": "much" is not a number[\s\S]*--limit/, value: { LIMIT: "much" } },
  { args: ["--limit=-1"], says: /"limit": "-1" is less than 0/, value: { LIMIT: -1 } },
  { env: { LIMIT: "10.5" }, says: /"limit": "10.5" is more than 10[\s\S]*LIMIT/, value: { LIMIT: 10.5 } },
  { env: { MODE: "median" }, says: /"mode": "median" is none of mean, max/, value: { MODE: "median" } },
  { args: ["--is-on", "maybe"], says: /"isOn": "maybe" is neither true nor false/, value: { IS_ON: "maybe" } },
  { env: { SINCE: "yesterday" }, says: /"since": "yesterday" is not an ISO 8601 time/, value: { SINCE: "yesterday" } },
];

test("parameters of every type stop the start with a value that does not fit, by flag and by variable; the schema says the same", async () => {
  const folder = await temporaryFolder();
  const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(notebook, notebookText(CELLS));
  const nowhere = { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" };
  const made = await millrace(["promote", notebook, "--out", job], { env: nowhere });
  assert.equal(made.code, 0, made.stderr);
  await mkdir(path.join(job, "node_modules"));
  await symlink(lib, path.join(job, "node_modules", "millrace"));
  const { parametersSchema, parameters } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
  const valid = new Ajv2020({ strict: false, formats: { "date-time": /^\d{4}-\d\d-\d\dT/ } }).compile(parametersSchema);
  const start = (args: readonly string[] = [], env: Record<string, string> = {}) =>
    runCommand(process.execPath, ["main.ts", ...args], { cwd: job, env: { ...nowhere, ...env } });

  const good = { LIMIT: "10", MODE: "max", IS_ON: "no", SINCE: "2026-02-03T04:05:06Z", LABEL: "" };
  const help = await start(["--help"], good);
  assert.equal(help.code, 0, help.stderr);
  assert.match(help.stdout, /--limit NUMBER +of the force; 2.5 by default \(LIMIT\)[\s\S]*--label STRING/);
  assert.equal(valid({ ...good, LIMIT: 10, IS_ON: false }), true, JSON.stringify(valid.errors));
  for (const { args, env, says, value } of WRONG) {
    const { code, stderr } = await start(args, env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
    assert.match(stderr, /set [A-Z_]+ or --[a-z-]+ to a \w+, or leave it at/);
    assert.equal(valid(value), false, JSON.stringify(value));
  }

  assert.deepEqual(
    parameters.map(({ name, type, default: value }: any) => [name, type, value]),
    [
      ["limit", "number", 2.5],
      ["mode", "string", "mean"],
      ["isOn", "boolean", true],
      ["since", "date", SINCE],
      ["label", "string", "a$b"],
    ],
  );
  const { environment } = parse(await readFile(path.join(job, "compose.yaml"), "utf8")).services.job;
  assert.deepEqual([environment.SINCE, environment.LABEL], [SINCE, "a$$b"]); // $$: no variable of Compose's
  const [settings] = parse(await readFile(path.join(job, "k8s/kustomization.yaml"), "utf8")).configMapGenerator;
  assert.ok(settings.literals.includes(`SINCE=${SINCE}`) && settings.literals.includes("LABEL=a$b"));
});
