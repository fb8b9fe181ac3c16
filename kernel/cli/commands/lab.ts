import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { prefixDataDir } from "../jupyter/data-dir.ts";
import { findJupyterLab } from "../jupyter/jupyter-lab.ts";
import { installKernelspec } from "../jupyter/kernelspec.ts";
import { installLabExtension } from "../jupyter/labextension.ts";
import { installPapermillTranslator } from "../jupyter/papermill.ts";

/** `millrace lab`: JupyterLab with the kernel in it. */
export const command = new Command("lab")
  .description("open JupyterLab with the kernel installed in its environment; more options go to jupyter lab after --")
  .argument("[dir]", "folder to open", ".")
  .argument("[options...]", "options for jupyter lab")
  .action(async (dir: string, options: string[]) => {
    const { prefix, lab } = findJupyterLab();
    installKernelspec(prefixDataDir(prefix));
    installPapermillTranslator(prefix);
    installLabExtension(prefixDataDir(prefix));
    // JupyterLab refuses to run as root unless told to; in a container there is often nobody else
    const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
    const child = spawn(lab, [...asRoot, `--ServerApp.root_dir=${path.resolve(dir)}`, ...options], {
      stdio: "inherit",
    });
    // The terminal sends Ctrl-C to both: JupyterLab asks whether it is meant, so this process waits for its answer.
    process.on("SIGINT", () => {});
    for (const name of ["SIGTERM", "SIGHUP"] as const) process.on(name, () => child.kill(name));
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  });
