// Builds the lab extension into `dist/`: one script, plotly.js beside it, and the package.json that JupyterLab reads. Runs after `npm install`
// and before packing, on any Node from 20 on.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const out = path.join(here, "dist");
const { version, license } = JSON.parse(readFileSync(path.join(here, "..", "package.json"), "utf8"));

const { outputFiles } = await build({
  entryPoints: [path.join(here, "src", "entry.ts")],
  bundle: true,
  format: "iife",
  platform: "browser",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  loader: { ".css": "text" },
  write: false,
});
const plotly = await build({
  entryPoints: [require.resolve("plotly.js-dist")],
  minify: true,
  legalComments: "eof",
  write: false,
});

rmSync(out, { recursive: true, force: true });
mkdirSync(path.join(out, "static"), { recursive: true });
const script = outputFiles[0].contents;
// its content in its name: a browser that has an older one fetches anew
const entry = `remoteEntry.${createHash("sha256").update(script).digest("hex").slice(0, 12)}.js`;
writeFileSync(path.join(out, "static", entry), script);
writeFileSync(path.join(out, "static", "plotly.js"), plotly.outputFiles[0].contents);
cpSync(path.join(here, "schema"), path.join(out, "schemas", "millrace-lab"), { recursive: true });
const manifest = {
  name: "millrace-lab",
  version,
  license,
  description: "Live tables and charts of streams, topics, and promotion of notebooks, for the Millrace kernel",
  jupyterlab: {
    extension: true,
    schemaDir: "schemas/millrace-lab",
    _build: { load: `static/${entry}`, extension: "./extension" },
  },
};
writeFileSync(path.join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(path.join(out, "schemas", "millrace-lab", "package.json.orig"), `${JSON.stringify(manifest, null, 2)}\n`);
