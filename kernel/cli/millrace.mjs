#!/usr/bin/env node
// The `millrace` command. Starts on any Node from 20 on and continues on Node 24 or newer.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const main = path.join(path.dirname(fileURLToPath(import.meta.url)), "main.ts");

if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import("./main.ts");
} else {
  const require = createRequire(import.meta.url);
  let node24;
  try {
    node24 = path.join(path.dirname(require.resolve("node/package.json")), "bin", "node");
  } catch {}
  if (node24 === undefined || !existsSync(node24)) {
    console.error(
      `millrace needs Node 24 or newer; this is Node ${process.versions.node}.\n` +
        "  what to do: run `npm install` in the Millrace folder (it brings its own Node 24), or install Node 24.",
    );
    process.exit(2);
  }
  const child = spawn(node24, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)));
}
