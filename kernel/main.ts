// The kernel: `node kernel/main.ts CONNECTION_FILE`.
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import path from "node:path";
import "../lib/polars/fast-objects.ts";
import { countBuffersWithHeap } from "../lib/run/count-buffers.ts";

countBuffersWithHeap();
enableCompileCache();
// Node warns about features this program uses on purpose; in a notebook that would be noise.
process.removeAllListeners("warning");

const [connectionFile] = process.argv.slice(2);
if (connectionFile === undefined) {
  process.stderr.write("usage: node kernel/main.ts CONNECTION_FILE\n");
  process.exit(2);
}

const { Interpreter } = await import("./cells/interpreter.ts");
const { serve } = await import("./wire/client.ts");
const interpreter = await Interpreter.create({ cwd: notebookFolder(), keepsJournal: true });
process.on("SIGINT", () => interpreter.interrupt());
try {
  await serve(interpreter, path.resolve(connectionFile));
  process.exit(0);
} catch (error) {
  process.stderr.write(`millrace: the kernel stops: ${(error as Error).message}\n`);
  process.exit(1);
}

/** Jupyter's server names the notebook; others start the kernel in its folder. */
function notebookFolder(): string {
  const notebook = process.env.JPY_SESSION_NAME;
  const folder = notebook === undefined || !path.isAbsolute(notebook) ? undefined : path.dirname(notebook);
  return folder !== undefined && existsSync(folder) ? folder : process.cwd();
}
