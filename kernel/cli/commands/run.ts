import { writeSync } from "node:fs";
import { Command } from "commander";
import { runNotebook } from "../../promote/run-notebook.ts";

export const command = new Command("run")
  .description("execute a notebook headless and save it with its outputs")
  .argument("<notebook>", "an .ipynb file")
  .option("-p, --param <name=value>", "set a parameter; may be repeated", (value, all: string[]) => [...all, value], [])
  .option("--for <duration>", "how long each live cell runs after its first row, e.g. 30s (default: 5s)")
  .option("--out <file>", "where the executed notebook goes (default: its own file)")
  .action(async (notebook: string, options: { param: string[]; for?: string; out?: string }) => {
    // straight to the file descriptor: cells take over process.stderr
    const progress = (line: string) => void writeSync(2, `${line}\n`);
    await runNotebook(notebook, { parameters: options.param, liveFor: options.for, out: options.out, progress });
  });
