import { Command, Option } from "commander";
import { checkJupyter, type Place } from "../doctor/jupyter.ts";
import { checkKafka, checkNode, checkPackages } from "../doctor/machine.ts";
import { DEFAULT_NAME } from "../jupyter/kernelspec.ts";

/** `millrace doctor`: what is wrong with an installation, and how to mend it. */
export const command = new Command("doctor")
  .description("say what is wrong with an installation and how to mend it; exit code 1 when something is")
  .addOption(new Option("--user", "that of the current user").conflicts(["sysPrefix", "prefix"]))
  .addOption(new Option("--sys-prefix", "that of the active environment").conflicts(["user", "prefix"]))
  .addOption(new Option("--prefix <dir>", "that below DIR/share/jupyter").conflicts(["user", "sysPrefix"]))
  .option("--name <name>", "name of the kernelspec", DEFAULT_NAME)
  .option("--json", "one JSON object: { ok, checks }")
  .action(async ({ json, ...place }: Place & { json?: boolean }) => {
    const [packages, jupyter, kafka] = await Promise.all([checkPackages(), checkJupyter(place), checkKafka()]);
    const checks = [checkNode(), ...packages, ...jupyter, ...kafka];
    const ok = checks.every((check) => check.ok);
    if (json) console.log(JSON.stringify({ ok, checks }));
    else
      for (const { check, ok, says, todo } of checks)
        console.log(`${ok ? "ok     " : "problem"}  ${check}: ${says}${todo === undefined ? "" : ` -> ${todo}`}`);
    if (!ok) process.exitCode = 1;
  });
