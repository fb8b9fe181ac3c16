import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/**
 * The URL of a package that was installed after an import of it had failed. Node remembers for the life of a process which package.json files are
 * missing, so a process of its own is asked; only where the package's folder is there by now.
 *
 * @param folder of the notebook
 */
export function installedSince(specifier: string, folder: string): string | undefined {
  const name = /^(@[^/]+\/)?[^./@:][^/:]*/.exec(specifier)?.[0];
  if (name === undefined || !ancestors(folder).some((above) => existsSync(path.join(above, "node_modules", name))))
    return undefined;
  const script = "process.stdout.write(import.meta.resolve(process.argv[1]))";
  const args = ["--no-warnings", "--input-type=module", "--eval", script, specifier];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 10_000 });
  return status === 0 && /^(file|node):/.test(stdout) ? stdout : undefined;
}

function ancestors(folder: string): string[] {
  const above = path.dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}
