import { Command } from "commander";

/** `millrace demo`, which `npm run demo` calls once everything is set up. */
export const command = new Command("demo")
  .description("the whole way once: Kafka, simulated phones, the notebook, promotion, the job, its alerts and state")
  .option("--keep", "leave it running and open JupyterLab", false)
  .option("--json", "print one JSON object as the last line of stdout", false)
  .action(async ({ keep, json }: { keep: boolean; json: boolean }) => {
    const { demo } = await import("../../demo/demo.ts");
    const report = await demo({ keep });
    console.error(`done in ${report.seconds} s`);
    if (json) console.log(JSON.stringify(report));
  });
