import { writeFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { Refusal } from "../../../lib/error.ts";
import { analyse } from "../../promote/analyse.ts";
import { explain, explanationText } from "../../promote/explain.ts";
import { explanationHtml } from "../../promote/explanation-html.ts";
import { readNotebook } from "../../promote/notebook.ts";
import { checkPromotion, promote } from "../../promote/promote.ts";
import { cancellable } from "../cancellable.ts";

interface Options {
  out?: string;
  name?: string;
  explain?: boolean;
  html?: string;
  check?: boolean;
  warm?: boolean;
  json?: boolean;
  allow: string[];
}

export const command = new Command("promote")
  .description("make a job folder of what a notebook's sinks need")
  .argument("<notebook>", "an .ipynb file")
  .option("--out <dir>", "the job folder: new, empty, or one that promote made before")
  .option("--name <name>", "of the job: its group and the prefix of its topics (default: the notebook's)")
  .option("--explain", "print each statement kept or dropped, and why; write nothing")
  .option("--html <file>", "with --explain: write it as a page to this file, and nothing else")
  .option("--check", "write nothing; exit 0 when the folder is what the notebook gives, 1 when they have drifted")
  .option("--warm", "the job begins with the state of what the notebook had read, and writes only what comes after it")
  .option("--json", "print the result as JSON")
  .option(
    "--allow <code>",
    "overrule one rule; recorded in promotion.json; may be repeated",
    (code, all: string[]) => [...all, code],
    [],
  )
  .action(async (notebook: string, options: Options) => {
    if (options.html !== undefined && !options.explain) {
      const what = "--html is the form of an explanation.";
      throw new Refusal({ code: "WRONG_USAGE", what, remedies: ["--explain --html FILE"] });
    }
    if (options.explain) return printExplanation(notebook, options);
    if (options.out === undefined) {
      throw new Refusal({ code: "NO_OUT", what: "promote needs to know where to.", remedies: ["--out DIR"] });
    }
    const settings = { out: options.out, name: options.name, allow: options.allow, warm: options.warm };
    if (options.check) {
      const drifted = await cancellable((signal) => checkPromotion(notebook, { ...settings, signal }));
      return drifted && printDrift(drifted, options.out, options.json === true);
    }
    const progress = (line: string) => console.error(line);
    const made = await cancellable((signal) => promote(notebook, { ...settings, progress, signal }));
    if (made === undefined) return;
    if (options.json) console.log(JSON.stringify(made));
    else {
      for (const note of made.notes) console.log(note);
      const relative = path.relative("", made.folder) || ".";
      const shown = relative.startsWith("..") ? made.folder : relative;
      console.log(`${shown}: ${made.files.length} files. Next: cd ${shown} && npm install && npm start`);
    }
  });

async function printExplanation(notebook: string, { json, html }: Options): Promise<void> {
  const explanation = explain(analyse(await readNotebook(notebook)));
  if (html !== undefined) await writeFile(html, explanationHtml(explanation));
  if (html !== undefined && !json) return;
  process.stdout.write(json ? `${JSON.stringify(explanation, undefined, 2)}\n` : explanationText(explanation));
}

function printDrift(drifted: readonly string[], out: string, json: boolean): void {
  if (json) console.log(JSON.stringify({ same: drifted.length === 0, drifted }));
  else if (drifted.length === 0) console.log(`${out} is what the notebook gives.`);
  else console.log([`${out} differs from what the notebook gives:`, ...drifted.map((name) => `  ${name}`)].join("\n"));
  if (drifted.length > 0) process.exitCode = 1;
}
