import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { activePrefix, prefixDataDir, userBase, userDataDir } from "../jupyter/data-dir.ts";
import { findJupyterLab, type JupyterEnvironment } from "../jupyter/jupyter-lab.ts";
import { DEFAULT_NAME, kernelspec } from "../jupyter/kernelspec.ts";
import { BUILT, labExtensionFolder } from "../jupyter/labextension.ts";
import { hasTranslator, papermillFolders } from "../jupyter/papermill.ts";
import { type Finding, problem, sound } from "./finding.ts";
import { run } from "./run.ts";

/** The installation to look at: the options that `millrace install` was given. None: the first that Jupyter would find. */
export interface Place {
  readonly prefix?: string;
  readonly sysPrefix?: boolean;
  readonly user?: boolean;
  readonly name: string;
}

interface Jupyter extends JupyterEnvironment {
  readonly version: string;
  /** Where this Jupyter looks, first place first. */
  readonly path: readonly string[];
}

/** Kernelspec, lab extension, papermill's translator and whether JupyterLab finds them. */
export async function checkJupyter(place: Place, env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const root = place.prefix ?? (place.sysPrefix ? activePrefix(env) : undefined);
  const [jupyter, finding] = await findJupyter(root, env);
  const named = root !== undefined ? prefixDataDir(root) : place.user ? userDataDir(env) : undefined;
  const holds = (dir: string) => existsSync(path.join(dir, "kernels", place.name, "kernel.json"));
  const places = jupyter?.path ?? [...(env.JUPYTER_PATH ?? "").split(path.delimiter).filter(Boolean), userDataDir(env)];
  const dataDir = named ?? places.find(holds) ?? userDataDir(env);
  const install = `npx millrace install ${into(dataDir, env)}${place.name === DEFAULT_NAME ? "" : ` --name ${place.name}`}`;
  return [
    await checkKernelspec(dataDir, place.name, install),
    checkLabExtension(dataDir, install),
    ...papermillFolders(root ?? userBase(env)).map((folder) =>
      hasTranslator(folder)
        ? sound("papermill", `${folder} can write parameters`)
        : problem("papermill", `${folder} has no translator of this version for parameters`, install),
    ),
    finding,
    ...(jupyter === undefined || !holds(dataDir) ? [] : [checkFound(jupyter, dataDir, places.find(holds))]),
  ];
}

/** The option that makes `millrace install` write to this place. */
function into(dataDir: string, env: NodeJS.ProcessEnv): string {
  if (dataDir === userDataDir(env)) return "--user";
  const prefix = path.resolve(dataDir, "..", "..");
  // a folder of JUPYTER_PATH need not be below a prefix
  return prefixDataDir(prefix) === path.resolve(dataDir) ? `--prefix ${JSON.stringify(prefix)}` : "--user";
}

async function checkKernelspec(dataDir: string, name: string, install: string): Promise<Finding> {
  const file = path.join(dataDir, "kernels", name, "kernel.json");
  const broken = (says: string) => problem("kernelspec", says, install);
  if (!existsSync(file)) return broken(`there is none named "${name}" in ${path.join(dataDir, "kernels")}`);
  let spec: Record<string, unknown>;
  try {
    spec = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return broken(`${file} cannot be read: ${(error as Error).message}`);
  }
  const argv = Array.isArray(spec?.argv) ? spec.argv.map(String) : [];
  const [node, main] = [argv[0], argv.find((part) => part.endsWith(".ts"))];
  if (node === undefined || main === undefined)
    return broken(`${file} starts no kernel: its argv is ${JSON.stringify(spec?.argv)}`);
  const gone = [node, main].find((part) => !existsSync(part));
  if (gone !== undefined) return broken(`${file} starts ${gone}, which is not there (any more)`);
  const version = (await run(node, ["--version"]))?.stdout.trim().replace(/^v/, "");
  if (!version) return broken(`${node}, which ${file} starts, does not run`);
  if (Number.parseInt(version, 10) < 24) return broken(`${file} starts Node ${version}; 24 or newer is needed`);
  // another Node and another display name are the user's choice; all else is what this version wrote
  const written = kernelspec(String(spec.display_name));
  const expected = { ...written, argv: [node, ...(written.argv as string[]).slice(1)] };
  const own = expected.argv.find((part) => part.endsWith(".ts"));
  if (main !== own) return broken(`${file} starts the kernel of another Millrace: ${main}`);
  const differing = Object.keys(expected).find(
    (key) => key !== "env" && !isDeepStrictEqual(spec[key], expected[key as keyof typeof expected]),
  );
  if (differing !== undefined) return broken(`${file} is not what this version writes: ${differing} differs`);
  return sound("kernelspec", `${file} (Node ${version})`);
}

function checkLabExtension(dataDir: string, install: string): Finding {
  if (!existsSync(path.join(BUILT, "package.json")))
    return problem(
      "lab extension",
      `is not built: nothing in ${BUILT}`,
      `node kernel/labextension/build.mjs, then ${install}`,
    );
  const folder = labExtensionFolder(dataDir);
  const manifest = path.join(folder, "package.json");
  if (!existsSync(manifest))
    return problem("lab extension", `is not in ${folder}: no live tables in JupyterLab`, install);
  const built = version(path.join(BUILT, "package.json"));
  const installed = version(manifest);
  if (installed !== built)
    return problem("lab extension", `in ${folder} is version ${installed}, the built one ${built}`, install);
  const differing = files(BUILT).find((file) => {
    const there = path.join(folder, file);
    return !existsSync(there) || !readFileSync(there).equals(readFileSync(path.join(BUILT, file)));
  });
  return differing === undefined
    ? sound("lab extension", `${folder} (${installed})`)
    : problem("lab extension", `in ${folder} is not the built one: ${differing} differs`, install);
}

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

function version(manifest: string): string {
  try {
    return String(JSON.parse(readFileSync(manifest, "utf8")).version);
  } catch {
    return "unreadable";
  }
}

/** JupyterLab below the prefix, else where `millrace lab` takes it from; asked where it looks for kernels. */
async function findJupyter(
  prefix: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<[Jupyter | undefined, Finding]> {
  const install = "npm run setup in the Millrace folder, or pip install jupyterlab";
  const bin = process.platform === "win32" ? "Scripts" : "bin";
  const own = prefix === undefined ? undefined : path.join(path.resolve(prefix), bin);
  const inPrefix = own !== undefined && existsSync(path.join(own, "jupyter-lab"));
  let found: JupyterEnvironment;
  try {
    found = findJupyterLab(inPrefix ? { ...env, MILLRACE_PYTHON: path.join(own, "python") } : env);
  } catch {
    return [undefined, problem("jupyter", "JupyterLab was not found", install)];
  }
  const python = path.join(found.prefix, bin, "python");
  const asked = await run(python, ["-c", ASK], { env });
  if (asked?.code !== 0)
    return [
      undefined,
      problem(
        "jupyter",
        `${found.lab} does not work: ${asked?.stderr.trim().split("\n").at(-1) ?? `${python} does not start`}`,
        install,
      ),
    ];
  const { version, path: looks } = JSON.parse(asked.stdout) as { version: string; path: string[] };
  return [{ ...found, version, path: looks }, sound("jupyter", `JupyterLab ${version} in ${found.prefix}`)];
}

const ASK = `import json, importlib.metadata
from jupyter_core.paths import jupyter_path
print(json.dumps({"version": importlib.metadata.version("jupyterlab"), "path": jupyter_path()}))`;

function checkFound({ prefix, path: looks }: Jupyter, dataDir: string, first: string | undefined): Finding {
  if (!looks.includes(dataDir))
    return problem(
      "found by jupyter",
      `JupyterLab in ${prefix} does not look in ${dataDir}`,
      `start it with JUPYTER_PATH=${dataDir}, or: npx millrace install --prefix ${JSON.stringify(prefix)}`,
    );
  if (first !== undefined && first !== dataDir)
    return problem(
      "found by jupyter",
      `the kernelspec of this name in ${first} hides it`,
      "npx millrace uninstall there",
    );
  return sound("found by jupyter", `in ${dataDir}`);
}
