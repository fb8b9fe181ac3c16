import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { Command, Option } from "commander";
import { Refusal } from "../../../lib/error.ts";
import { activePrefix, prefixDataDir, userBase, userDataDir } from "../jupyter/data-dir.ts";
import { DEFAULT_NAME } from "../jupyter/kernelspec.ts";
import { labExtensionFolder, uninstallLabExtension } from "../jupyter/labextension.ts";
import { uninstallPapermillTranslator } from "../jupyter/papermill.ts";

/** `millrace uninstall`: removes what `install` wrote with the same options. */
export const command = new Command("uninstall")
  .description("remove the kernelspec again")
  .addOption(new Option("--user", "that of the current user (the default)").conflicts(["sysPrefix", "prefix"]))
  .addOption(new Option("--sys-prefix", "that of the active environment").conflicts(["user", "prefix"]))
  .addOption(new Option("--prefix <dir>", "that below DIR/share/jupyter").conflicts(["user", "sysPrefix"]))
  .option("--name <name>", "name of the kernelspec", DEFAULT_NAME)
  .action(({ sysPrefix, prefix, name }: { sysPrefix?: boolean; prefix?: string; name: string }) => {
    const root = prefix ?? (sysPrefix ? activePrefix() : undefined);
    const dataDir = root === undefined ? userDataDir() : prefixDataDir(root);
    const folder = path.join(dataDir, "kernels", name);
    if (!existsSync(path.join(folder, "kernel.json")))
      throw new Refusal({ code: "NOT_INSTALLED", what: `there is no kernelspec "${name}"`, where: folder });
    rmSync(folder, { recursive: true });
    uninstallPapermillTranslator(root ?? userBase());
    console.log(`removed ${folder}`);
    // other names of the kernel use it too
    const others = existsSync(path.join(dataDir, "kernels")) ? readdirSync(path.join(dataDir, "kernels")) : [];
    if (!others.some((each) => each.startsWith("millrace")) && uninstallLabExtension(dataDir))
      console.log(`removed ${labExtensionFolder(dataDir)}`);
  });
