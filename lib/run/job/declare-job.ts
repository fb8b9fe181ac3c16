import { MillraceError, Refusal } from "../../error.ts";
import { declaredTerminals, statementsRunOnce } from "../../frame/driver.ts";
import { declaredParams, setParamSource } from "../../frame/param.ts";
import type { Schema } from "../../schema.ts";
import { collectAtTwice, countBuffersWithHeap } from "../count-buffers.ts";
import { jobHelp } from "./help.ts";
import { stderrLog } from "./log.ts";
import { OtherWorkers } from "./other-workers.ts";
import { jobSettings, parseFlags, refuseUnknownFlags } from "./settings.ts";
import type { WarmRanges } from "./warm.ts";
import { ownNumber } from "./worker-link.ts";

/** What a promoted `main.ts` says about itself, before the statements of the notebook. */
export interface JobOptions {
  /** Group id and prefix of internal topics, unless `MILLRACE_JOB_NAME` says otherwise. */
  readonly name: string;
  /**
   * The frozen schema of every source as its messages are written, by its topic (several joined by `,`, or the pattern). A job never
   * infers.
   */
  readonly schemas: Readonly<Record<string, Schema>>;
  /**
   * What the notebook had read when it was promoted (topic -> partition -> [first offset, offset after the last]): a job without committed offsets
   * begins there, with its sinks silent up to the end of it, so that it goes on from the notebook's state. `MILLRACE_FROM` overrules it.
   */
  readonly warm?: WarmRanges;
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
 * Makes this process a job: parameters come from flags, then the environment; schemas are frozen; {@link Job.run} runs the
 * sinks declared in between.
 */
export function job(options: JobOptions): Job {
  // Polars makes its threads with its first query. A job's batches are small, and the broker or another worker wants the other cores: threads that
  // wait for each other cost w2 a third of its rate (docs/decisions/021-one-polars-thread.md). More cores are used by more workers.
  process.env.POLARS_MAX_THREADS ??= "1";
  countBuffersWithHeap();
  collectAtTwice();
  // a refusal in a statement between here and run() is as readable as any other
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  statementsRunOnce();
  try {
    const flags = parseFlags(process.argv.slice(2));
    const settings = jobSettings(options.name, options.packageRoot ?? process.cwd(), flags, process.env);
    const started = endedBySignals(settings.replay !== undefined);
    // at once: they load while this one goes through its statements
    const others =
      settings.workers > 1 && !flags.has("--help") && ownNumber(process.env) === undefined
        ? new OtherWorkers(settings.workers, { ...settings, log: stderrLog })
        : undefined;
    setParamSource(({ flag, env }) => {
      const given = flags.get(flag);
      if (given !== undefined) return { text: given, from: flag };
      const text = process.env[env];
      return text === undefined ? undefined : { text, from: env };
    });
    return {
      async run() {
        try {
          if (flags.get("--help") === "true") {
            console.log(jobHelp(options.name, declaredParams()));
            process.exit(0);
          }
          refuseUnknownFlags(
            flags,
            declaredParams().map(({ flag }) => flag),
          );
          const { runJob } = await import("./run-job.ts");
          const warm = options.warm !== undefined && !process.env.MILLRACE_FROM ? { warm: options.warm } : {};
          started();
          await runJob(declaredTerminals(), options.schemas, { ...settings, ...warm }, others);
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

/**
 * Until {@link runJob} does it, ends the process when it is asked to: nothing was begun, so a job ends with 0; a replay has not shown anything, and does not.
 * @returns to be called when signals are another's affair
 */
function endedBySignals(replay: boolean): () => void {
  const end = (signal: NodeJS.Signals) => {
    stderrLog.info("stopped before it began", { signal });
    process.exit(replay ? 1 : 0);
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  return () => {
    process.off("SIGTERM", end);
    process.off("SIGINT", end);
  };
}

function fail(error: unknown): never {
  console.error(error instanceof MillraceError ? error.message : error);
  process.exit(error instanceof Refusal ? 2 : 1);
}
