import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Refusal } from "../../../lib/error.ts";
import { NODE_FLAGS } from "../../node-flags.ts";

const KERNEL_MAIN = path.resolve(import.meta.dirname, "..", "..", "main.ts");
const LOGOS = path.resolve(import.meta.dirname, "..", "logos");

export const DEFAULT_NAME = "millrace";

/** What Jupyter reads to start the kernel. Everything in it is absolute: a server started from a desktop has another PATH. */
export function kernelspec(displayName: string): Record<string, unknown> {
  return {
    argv: [nodeExecutable(), ...NODE_FLAGS, KERNEL_MAIN, "{connection_file}"],
    display_name: displayName,
    language: "typescript",
    interrupt_mode: "message",
    kernel_protocol_version: "5.5",
    env: {},
    metadata: { debugger: true },
  };
}

/** Writes the kernelspec below a data folder of Jupyter and returns where it is. What was there under this name is replaced. */
export function installKernelspec(
  dataDir: string,
  { name = DEFAULT_NAME, displayName = "TypeScript (Millrace)" } = {},
): string {
  if (!/^[A-Za-z0-9._-]+$/.test(name))
    throw new Refusal({
      code: "KERNEL_NAME",
      what: `"${name}" is no name for a kernelspec`,
      remedies: ["use letters, digits, '.', '_' and '-'"],
    });
  const folder = path.join(dataDir, "kernels", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(LOGOS, folder, { recursive: true });
  writeFileSync(path.join(folder, "kernel.json"), `${JSON.stringify(kernelspec(displayName), null, 2)}\n`);
  return folder;
}

/** The Node that runs this, which the kernel is to run on as well. */
function nodeExecutable(): string {
  if (Number.parseInt(process.versions.node, 10) < 24)
    throw new Refusal({
      code: "NODE_TOO_OLD",
      what: `the kernel needs Node 24 or newer; this is Node ${process.versions.node}`,
      remedies: ["run it through `npx millrace`, which finds the Node 24 that `npm install` brought"],
    });
  return realpathSync(process.execPath);
}
