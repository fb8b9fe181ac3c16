import { readdir } from "node:fs/promises";
import path from "node:path";
import { MillraceError, Refusal } from "../lib/error.ts";
import "../lib/polars/fast-objects.ts";
import { countBuffersWithHeap } from "../lib/run/count-buffers.ts";

// what runs in this process runs as in a job or the kernel
countBuffersWithHeap();

// `node bench/main.ts NAME [args]`: one file per benchmark beside this one, exporting `main(args)`.
const [name = "", ...args] = process.argv.slice(2);
const files = await readdir(import.meta.dirname);
const known = files.filter((file) => file.endsWith(".ts") && file !== "main.ts").map((file) => path.parse(file).name);
if (!known.includes(name)) {
  console.error(
    `usage: node bench/main.ts NAME [options]; NAME is one of ${known.sort().join(", ")} (--help says more)`,
  );
  process.exit(2);
}
// ends what a benchmark started, too: brokers and jobs end with this process
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
try {
  const { main } = (await import(path.join(import.meta.dirname, `${name}.ts`))) as {
    main: (args: string[]) => Promise<void>;
  };
  await main(args);
} catch (error) {
  const usage = String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
  console.error(usage || error instanceof MillraceError ? (error as Error).message : error);
  if (usage) console.error(`node bench/main.ts ${name} --help names the options`);
  process.exitCode = usage || error instanceof Refusal ? 2 : 1;
}
