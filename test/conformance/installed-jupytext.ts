import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../kernel/broker/jars.ts";
import { python } from "./python.ts";

const VERSION = "1.19.6";

/** What Python is to be given to run jupytext, which is installed by pip once and kept in the cache: beside JupyterLab it would put an extension of its own into everybody's. */
export async function installedJupytext(): Promise<string[]> {
  const folder = path.join(cacheFolder(), `jupytext-${VERSION}`);
  if (!existsSync(folder)) {
    const making = `${folder}.${process.pid}`;
    const packages = [`jupytext==${VERSION}`, "markdown-it-py", "mdit-py-plugins", "mdurl", "PyYAML"];
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    await promisify(execFile)(python(), [...install, "--target", making, ...packages]);
    await rename(making, folder).catch(() => rm(making, { recursive: true, force: true })); // another process was faster
  }
  const program = `import sys; sys.path.insert(0, ${JSON.stringify(folder)}); from jupytext.cli import jupytext; sys.exit(jupytext())`;
  return ["-c", program];
}
