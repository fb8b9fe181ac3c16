import { Command } from "commander";
import { MillraceError, Refusal } from "../../lib/error.ts";

/** One file per command; each exports `command`, a commander Command. Loaded only when it is called, or for help. */
const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {};

const program = new Command("millrace").description("Live Kafka topics as Polars frames; notebooks promoted to jobs");
program.exitOverride().showHelpAfterError();

const asked = process.argv[2];
const names = asked !== undefined && asked in COMMANDS ? [asked] : Object.keys(COMMANDS);
for (const name of names) program.addCommand((await COMMANDS[name]!()).command.copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** 1: the work failed; 2: wrong usage or a refusal. One readable block on stderr. */
function report(error: unknown): number {
  const code = (error as { code?: string }).code ?? "";
  if (code.startsWith("commander.")) return (error as { exitCode: number }).exitCode === 0 ? 0 : 2;
  if (error instanceof MillraceError) console.error(`${error.message}`);
  else console.error(error);
  return error instanceof Refusal ? 2 : 1;
}
