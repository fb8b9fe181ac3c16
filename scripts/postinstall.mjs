// Runs after `npm install`, on whatever Node the machine has (20 or newer).
// npm chooses native optional packages for the Node it runs under, and skips nodejs-polars' binary under Node 20
// because that binary asks for Node 22. The workspace brings its own Node 24, so install once more under it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(path.join(root, "package.json"));

function polarsLoads() {
  const { platform, arch } = process;
  const names = {
    "linux-x64": ["linux-x64-gnu", "linux-x64-musl"],
    "linux-arm64": ["linux-arm64-gnu", "linux-arm64-musl"],
    "darwin-x64": ["darwin-x64"],
    "darwin-arm64": ["darwin-arm64"],
    "win32-x64": ["win32-x64-msvc"],
  }[`${platform}-${arch}`];
  if (names === undefined) return true; // unknown platform: let the import say so
  return names.some((name) => {
    try {
      require.resolve(`nodejs-polars-${name}/package.json`);
      return true;
    } catch {
      return existsSync(path.join(root, "node_modules", `nodejs-polars-${name}`));
    }
  });
}

const node24 = path.join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
if (!polarsLoads() && process.env.MILLRACE_POSTINSTALL !== "1" && existsSync(node24) && process.env.npm_execpath) {
  console.error("millrace: choosing native packages for Node 24 …");
  const done = spawnSync(node24, [process.env.npm_execpath, "install", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      MILLRACE_POSTINSTALL: "1",
      PATH: `${path.dirname(node24)}${path.delimiter}${process.env.PATH}`,
    },
  });
  process.exitCode = done.status ?? 1;
}

// The lab extension is built here, once, so that `millrace install` only copies.
if (process.env.MILLRACE_POSTINSTALL !== "1") await import("../kernel/labextension/build.mjs");
