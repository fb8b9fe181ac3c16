import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { MillraceError } from "../../../lib/error.ts";
import { type ReplayReport, replay } from "../../../lib/replay.ts";
import { unpack } from "../../promote/job/unpack.ts";
import { cancellable } from "../cancellable.ts";

const FALLBACK = path.resolve(import.meta.dirname, "../../promote/resolve-from-kernel.ts");

export const command = new Command("replay")
  .description("run a job over its recorded samples and compare what it writes with what the notebook computed")
  .argument("<dir>", "a folder that promote made")
  .option("--json", "print the result as JSON")
  .action(async (dir: string, { json }: { json?: boolean }) => {
    const installed = existsSync(path.join(dir, "node_modules", "millrace"));
    const report = await cancellable(
      (signal) =>
        installed || !existsSync(path.join(dir, "vendor"))
          ? replay(dir, { progress, signal })
          : replayUnpacked(dir, signal),
      "nothing was compared",
    );
    if (report === undefined) return;
    if (!installed) console.error("The job's packages are not installed; replaying with the millrace in its vendor/.");
    const missing = report.text.match(/Cannot find package '([^']+)' imported from/)?.[1];
    if (!installed && missing !== undefined)
      console.error(`The job needs ${missing}, a package of its own: run npm install in ${dir} first.`);
    console.log(json ? JSON.stringify({ ok: report.ok, sinks: report.sinks, text: report.text }) : report.text);
    if (!report.ok) process.exitCode = 1;
  });

const progress = (line: string) => console.error(line);

/** Without `npm install`: on the job's own millrace, unpacked beside, and this command's installation of what that needs. */
async function replayUnpacked(dir: string, signal: AbortSignal): Promise<ReplayReport> {
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-vendor-"));
  try {
    const archives = (await readdir(path.join(dir, "vendor"))).filter((file) => /^millrace-.*\.tgz$/.test(file));
    if (archives.length > 0) await unpackMillrace(path.join(dir, "vendor", archives[0]!), work);
    process.env.MILLRACE_UNPACKED = work;
    return await replay(dir, { progress, signal, nodeArguments: ["--import", pathToFileURL(FALLBACK).href] });
  } finally {
    delete process.env.MILLRACE_UNPACKED;
    await rm(work, { recursive: true, force: true });
  }
}

async function unpackMillrace(archive: string, work: string): Promise<void> {
  try {
    await unpack(archive, path.join(work, "node_modules", "millrace"));
  } catch (cause) {
    throw new MillraceError({
      code: "BAD_VENDOR",
      what: `${archive} cannot be unpacked: ${(cause as Error).message}.`,
      remedies: ["promote the notebook again"],
      cause,
    });
  }
}
