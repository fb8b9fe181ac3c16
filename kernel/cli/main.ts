import { readdir } from "node:fs/promises";
import { enableCompileCache } from "node:module";
import path from "node:path";
import { Command } from "commander";
import { MillraceError, Refusal } from "../../lib/error.ts";
import "../../lib/polars/fast-objects.ts";

// One file per command in commands/, named after it, exporting `command`. Only the one that is called is loaded; all for help.
enableCompileCache();
const folder = path.join(import.meta.dirname, "commands");
const available = (await readdir(folder)).filter((file) => file.endsWith(".ts")).map((file) => path.parse(file).name);
const asked = process.argv[2];
const names = asked !== undefined && available.includes(asked) ? [asked] : available.sort();

const program = new Command("millrace").description("Live Kafka topics as Polars frames; notebooks promoted to jobs");
program.exitOverride().showHelpAfterError();
for (const name of names) {
  const { command } = (await import(path.join(folder, `${name}.ts`))) as { command: Command };
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** 1: the work failed; 2: wrong usage or a refusal. One readable block on stderr. */
function report(error: unknown): number {
  const code = (error as { code?: string }).code ?? "";
  if (code.startsWith("commander.")) return (error as { exitCode: number }).exitCode === 0 ? 0 : 2;
  console.error(error instanceof MillraceError ? error.message : error);
  return error instanceof Refusal ? 2 : 1;
}
