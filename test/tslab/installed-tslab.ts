import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../kernel/broker/jars.ts";

const VERSION = "1.0.22";

/** The program of tslab, installed from npm once and kept in the cache. */
export async function installedTslab(): Promise<string> {
  const folder = path.join(cacheFolder(), `tslab-${VERSION}`);
  const main = path.join(folder, "node_modules", "tslab", "bin", "tslab");
  if (existsSync(main)) return main;
  const making = `${folder}.${process.pid}`;
  await mkdir(making, { recursive: true });
  await writeFile(path.join(making, "package.json"), '{ "private": true }');
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  await promisify(execFile)(npm, ["install", "--no-audit", "--no-fund", `tslab@${VERSION}`], { cwd: making });
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true })); // another process was faster
  return main;
}
