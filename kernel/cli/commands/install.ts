import path from "node:path";
import { Command, Option } from "commander";
import { makeLibraryTypes } from "../../promote/job/make-library-types.ts";
import { declarationsTold } from "../declarations-told.ts";
import { activePrefix, prefixDataDir, userBase, userDataDir } from "../jupyter/data-dir.ts";
import { DEFAULT_NAME, installKernelspec } from "../jupyter/kernelspec.ts";
import { installLabExtension } from "../jupyter/labextension.ts";
import { installPapermillTranslator } from "../jupyter/papermill.ts";

interface Options {
  readonly user?: boolean;
  readonly sysPrefix?: boolean;
  readonly prefix?: string;
  readonly name: string;
  readonly displayName: string;
}

/** `millrace install`: writes the kernelspec and the prebuilt lab extension, without Python. */
export const command = new Command("install")
  .description("install the kernelspec and the lab extension, so that JupyterLab and other clients find them")
  .addOption(new Option("--user", "for the current user (the default)").conflicts(["sysPrefix", "prefix"]))
  .addOption(new Option("--sys-prefix", "into the active virtual or conda environment").conflicts(["user", "prefix"]))
  .addOption(new Option("--prefix <dir>", "below DIR/share/jupyter").conflicts(["user", "sysPrefix"]))
  .option("--name <name>", "name of the kernelspec", DEFAULT_NAME)
  .option("--display-name <name>", "what clients show", "TypeScript (Millrace)")
  .action(async ({ sysPrefix, prefix, name, displayName }: Options) => {
    await makeLibraryTypes(declarationsTold((line) => console.log(line)));
    const root = prefix ?? (sysPrefix ? activePrefix() : undefined);
    const dataDir = root === undefined ? userDataDir() : prefixDataDir(root);
    const folder = installKernelspec(dataDir, { name, displayName });
    console.log(`installed the kernelspec "${name}" in ${folder}`);
    for (const packages of installPapermillTranslator(root ?? userBase()))
      console.log(`papermill in ${packages} can now write parameters for it`);
    console.log(`installed the lab extension in ${installLabExtension(dataDir)}`);
    if (prefix !== undefined && path.resolve(prefix) !== process.env.VIRTUAL_ENV)
      console.log(`Jupyter finds it when started from that prefix, or with JUPYTER_PATH=${dataDir}`);
  });
