import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { freePort } from "../../kernel/broker/embedded-broker.ts";
import { pythonTool } from "./python.ts";
import { until } from "./until.ts";

const repository = path.resolve(import.meta.dirname, "../..");

export interface Lab {
  /** The folder the server shows. */
  readonly folder: string;
  /** Address of a notebook in it. */
  url(notebook: string): string;
  /** What the server has said so far, for a test that fails. */
  log(): string;
  stop(): Promise<void>;
}

/** A JupyterLab (or Notebook) server of its own on a free port, with the kernelspec and, unless told otherwise, the lab extension installed for it alone. */
export async function startLab(
  env: Record<string, string>,
  { extension = true, program = "lab" }: { extension?: boolean; program?: "lab" | "notebook" } = {},
): Promise<Lab> {
  const home = await mkdtemp(path.join(os.tmpdir(), "millrace-lab-"));
  const folder = path.join(home, "notebooks");
  await mkdir(folder);
  const prefix = path.join(home, "prefix");
  const installed = spawnSync(
    process.execPath,
    [path.join(repository, "kernel/cli/main.ts"), "install", "--prefix", prefix],
    { encoding: "utf8" },
  );
  if (installed.status !== 0) throw new Error(`millrace install failed: ${installed.stderr}`);
  await mkdir(path.join(home, "config/labconfig"), { recursive: true });
  // nobody is there to answer its question about news
  const quiet = JSON.stringify({ "@jupyterlab/apputils-extension:notification": { fetchNews: "false" } });
  await writeFile(path.join(home, "config/labconfig/default_setting_overrides.json"), quiet);
  if (!extension) {
    // the environment may have it installed as well
    const disabled = JSON.stringify({ disabledExtensions: { "millrace-lab": true } });
    await writeFile(path.join(home, "config/labconfig/page_config.json"), disabled);
  }
  const port = await freePort();
  const token = randomBytes(16).toString("hex");
  const server = spawn(
    pythonTool("jupyter"),
    [
      program,
      "--no-browser",
      "--allow-root",
      "--ServerApp.ip=127.0.0.1",
      `--ServerApp.port=${port}`,
      "--ServerApp.port_retries=0",
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${folder}`,
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // its kernels are in its process group, ended with it
      env: {
        ...process.env,
        ...env,
        HOME: home,
        JUPYTER_PATH: path.join(prefix, "share", "jupyter"),
        JUPYTER_CONFIG_DIR: path.join(home, "config"),
        JUPYTER_DATA_DIR: path.join(home, "data"),
        JUPYTER_RUNTIME_DIR: path.join(home, "runtime"),
      },
    },
  );
  let log = "";
  server.stdout.on("data", (chunk) => {
    log += chunk;
  });
  server.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const gone = new Promise((resolve) => server.once("exit", resolve));
  const base = `http://127.0.0.1:${port}`;
  await until(
    "JupyterLab answers",
    async () => {
      if (server.exitCode !== null) throw new Error(`JupyterLab exited:\n${log}`);
      return fetch(`${base}/api/status?token=${token}`).then(
        (response) => response.ok,
        () => false,
      );
    },
    60_000,
  );
  return {
    folder,
    url: (notebook) => {
      const page = program === "lab" ? "lab/tree" : "notebooks";
      return `${base}/${page}/${encodeURIComponent(notebook)}?token=${token}&reset`;
    },
    log: () => log,
    stop: async () => {
      // shut the kernels down by the server's own interface, then the server
      const kernels = (await fetch(`${base}/api/kernels?token=${token}`).then((response) => response.json())) as {
        id: string;
      }[];
      for (const { id } of kernels)
        await fetch(`${base}/api/kernels/${id}`, { method: "DELETE", headers: { Authorization: `token ${token}` } });
      server.kill("SIGTERM");
      const forced = setTimeout(() => process.kill(-server.pid!, "SIGKILL"), 10_000);
      await gone;
      clearTimeout(forced);
      await rm(home, { recursive: true, force: true });
    },
  };
}
