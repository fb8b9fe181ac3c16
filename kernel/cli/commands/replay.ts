import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { replay } from "../../../lib/replay.ts";

const FALLBACK = path.resolve(import.meta.dirname, "../../promote/resolve-from-kernel.ts");

export const command = new Command("replay")
  .description("run a job over its recorded samples and compare what it writes with what the notebook computed")
  .argument("<dir>", "a folder that promote made")
  .option("--json", "print the result as JSON")
  .action(async (dir: string, { json }: { json?: boolean }) => {
    const installed = existsSync(path.join(dir, "node_modules", "millrace"));
    // without `npm install` the job runs on the library of this command
    const nodeArguments = installed ? [] : ["--import", pathToFileURL(FALLBACK).href];
    const report = await replay(dir, { nodeArguments });
    if (!installed) console.error("The job's packages are not installed; replaying with this command's own millrace.");
    console.log(json ? JSON.stringify({ ok: report.ok, sinks: report.sinks, text: report.text }) : report.text);
    if (!report.ok) process.exitCode = 1;
  });
