import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

let folder: string | undefined;

/** The DuckDB file of this process: what `.toTable(name).run()` wrote. It goes with the process; it exists once something was written. */
export function sessionFile(): string {
  if (folder === undefined) {
    const made = mkdtempSync(path.join(os.tmpdir(), "millrace-session-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return path.join(folder, "session.duckdb");
}
