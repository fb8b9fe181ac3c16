import { MillraceError, Refusal } from "./error.ts";
import { declaredSinks } from "./frame/driver.ts";
import { Parameters, parameterNames } from "./run/job/parameters.ts";
import { jobSettings, parseFlags, refuseUnknownFlags } from "./run/job/settings.ts";
import type { Schema } from "./schema.ts";

/** What a promoted `main.ts` says about itself, before the statements of the notebook. */
export interface JobOptions {
  /** Group id and prefix of internal topics, unless `MILLRACE_JOB_NAME` says otherwise. */
  readonly name: string;
  /** The frozen schema of every source, by its topic (several joined by `,`, or the pattern). A job never infers. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** The job's folder; its `state/` holds the state unless `MILLRACE_STATE_DIR` says otherwise. Default: the working directory. */
  readonly packageRoot?: string;
}

export interface Job {
  /**
   * Runs every declared sink until stopped (SIGTERM, SIGINT) or, with `--until end`, until all that was there is done.
   * Ends the process: 0 done, 1 the work failed, 2 wrong usage or a refusal; errors are one readable block on stderr.
   */
  run(): Promise<void>;
}

/**
 * Makes this process a job: parameters come from flags and the environment, schemas are frozen, and {@link Job.run} runs the
 * sinks declared in between.
 */
export function job(options: JobOptions): Job {
  try {
    const flags = parseFlags(process.argv.slice(2));
    const settings = jobSettings(options.name, options.packageRoot ?? process.cwd(), flags, process.env);
    const parameters = new Parameters(flags, process.env);
    return {
      async run() {
        try {
          refuseUnknownFlags(
            parameters.unknownFlags(),
            parameters.declared.map(({ name }) => parameterNames(name).flag),
          );
          const { runJob } = await import("./run/job/run-job.ts");
          await runJob(declaredSinks(), options.schemas, settings);
          process.exit(0);
        } catch (error) {
          fail(error);
        }
      },
    };
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  console.error(error instanceof MillraceError ? error.message : error);
  process.exit(error instanceof Refusal ? 2 : 1);
}
