import path from "node:path";
import { Refusal } from "../../error.ts";
import { fromEnvironment } from "../../log/config.ts";
import { LOG_FORMATS } from "./log.ts";
import type { WarmRanges } from "./warm.ts";
import { ownNumber } from "./worker-link.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type Guarantee = "exactly-once" | "at-least-once";

/** How a job runs; everything that is not the program itself. */
export interface JobSettings {
  /** Group id, and prefix of internal topics and of the transactional id. */
  readonly name: string;
  /** Stop once everything that was in the topics at the start is done. */
  readonly untilEnd: boolean;
  /** Processes of this machine that share the job's partitions; the first of them starts the others. */
  readonly workers: number;
  /** Throw away what the job holds, and begin anew. */
  readonly reset: boolean;
  /** Build the state anew from the records up to the committed offsets, and go on from there. */
  readonly rebuild: boolean;
  /** What a flag throws away is confirmed. */
  readonly yes: boolean;
  /** Print the summary as the last line of stdout. */
  readonly json: boolean;
  /** What a bad record does. */
  readonly onError: "dead-letter" | "stop";
  readonly guarantee: Guarantee;
  /** Milliseconds between checkpoints. */
  readonly commitInterval: number;
  readonly stateDir: string;
  /** What folders of files are relative to. */
  readonly filesDir: string;
  /** Bytes of memory for state, beyond what a process takes anyway; more state than that is read from its file as it is needed. */
  readonly stateMemory: number;
  /** How many workers beside its owner keep a copy of each partition's state. */
  readonly standbyReplicas: number;
  /** Where partitions without committed offsets start: an end of the log, or milliseconds since the epoch. */
  readonly from: "earliest" | "latest" | number;
  /** Milliseconds without a heartbeat after which the group gives a worker's partitions away. */
  readonly sessionTimeout: number;
  /** The port of health, metrics and state on all interfaces; absent: a free one on 127.0.0.1. */
  readonly port?: number;
  /** Bearer token for `/state`; without one only loopback is answered. */
  readonly stateToken?: string;
  /** What the notebook had read: taken into the state, and not written again. */
  readonly warm?: WarmRanges;
  /** That is a rebuild: files were written of it. */
  readonly rebuilds?: boolean;
  /** Recorded samples instead of Kafka. */
  readonly replay?: { readonly samples: string; readonly out: string };
}

/** Flags that take no value. */
const SWITCHES = ["--json", "--reset", "--rebuild", "--yes", "--help"];

/**
 * `--flag value`, `--flag=value` and `--switch` as a map; which of them exist is judged when all parameters are declared.
 * @throws {Refusal} `WRONG_USAGE`
 */
export function parseFlags(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as string;
    if (!argument.startsWith("--")) throw usage(`The argument ${JSON.stringify(argument)} is not understood.`);
    const equals = argument.indexOf("=");
    const flag = equals < 0 ? argument : argument.slice(0, equals);
    if (flags.has(flag)) throw usage(`The flag ${flag} is given twice.`);
    if (equals >= 0) flags.set(flag, argument.slice(equals + 1));
    else if (SWITCHES.includes(flag)) flags.set(flag, "true");
    else {
      const value = args[++i];
      if (value === undefined) throw usage(`The flag ${flag} needs a value.`);
      flags.set(flag, value);
    }
  }
  return flags;
}

/** @throws {Refusal} `WRONG_USAGE` or `WRONG_SETTING`, naming the flag or variable and what it may be */
export function jobSettings(
  name: string,
  root: string,
  flags: ReadonlyMap<string, string>,
  env: Environment,
): JobSettings {
  const until = flags.get("--until");
  if (until !== undefined && until !== "end")
    throw usage(`--until is ${JSON.stringify(until)}; a job knows only --until end.`);
  const onError = flags.get("--on-error") ?? "dead-letter";
  if (onError !== "dead-letter" && onError !== "stop")
    throw usage(`--on-error is ${JSON.stringify(onError)}; it may be dead-letter or stop.`);
  const given = (name: string): boolean => {
    const value = flags.get(name) ?? "false";
    if (value !== "true" && value !== "false") throw usage(`${name} takes no value.`);
    return value === "true";
  };

  const jobName = env.MILLRACE_JOB_NAME || name;
  // what Kafka allows in topic names; the job's name is a prefix of several
  if (!/^[A-Za-z0-9._-]{1,150}$/.test(jobName))
    throw setting("MILLRACE_JOB_NAME", jobName, "letters, digits, '.', '_' and '-', at most 150");
  const guarantee = env.MILLRACE_GUARANTEE || "exactly-once";
  if (guarantee !== "exactly-once" && guarantee !== "at-least-once")
    throw setting("MILLRACE_GUARANTEE", guarantee, "exactly-once or at-least-once");
  const logFormat = env.MILLRACE_LOG_FORMAT || "text";
  if (!LOG_FORMATS.includes(logFormat)) throw setting("MILLRACE_LOG_FORMAT", logFormat, LOG_FORMATS.join(" or "));
  if (given("--reset") && given("--rebuild")) throw usage("--reset and --rebuild exclude each other.");
  const stateToken = fromEnvironment("MILLRACE_STATE_TOKEN", env);
  const samples = env.MILLRACE_REPLAY;
  const own = ownNumber(env);
  const workers = samples ? 1 : (own?.of ?? wholeNumber(flags.get("--workers"), env.MILLRACE_WORKERS));
  const settings: JobSettings = {
    name: jobName,
    untilEnd: until === "end",
    workers,
    json: given("--json"),
    reset: given("--reset"),
    rebuild: given("--rebuild"),
    yes: given("--yes"),
    onError,
    guarantee,
    commitInterval: duration(env, "MILLRACE_COMMIT_INTERVAL", "1s", "10m"), // a transaction may last 15 minutes
    stateDir: path.resolve(env.MILLRACE_STATE_DIR || path.join(root, "state")),
    filesDir: path.resolve(env.MILLRACE_FILES_DIR || root),
    stateMemory: Math.max(LEAST_STATE_MEMORY, Math.floor(bytes(env, "MILLRACE_STATE_MEMORY", "512MiB") / workers)),
    standbyReplicas: count(env, "MILLRACE_STANDBY_REPLICAS", "0"),
    from: startPosition(env.MILLRACE_FROM || "earliest"),
    sessionTimeout: duration(env, "MILLRACE_SESSION_TIMEOUT", "10s"),
    ...(env.PORT ? { port: port(env.PORT) } : {}),
    ...(stateToken ? { stateToken } : {}),
    ...(samples ? { replay: { samples, out: env.MILLRACE_REPLAY_OUT || path.join(samples, "out") } } : {}),
  };
  return settings;
}

/** How many workers: the flag, else the variable, else one. */
function wholeNumber(flag: string | undefined, variable: string | undefined): number {
  const text = flag ?? (variable || "1");
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= MOST_WORKERS))
    throw setting(
      flag === undefined ? "MILLRACE_WORKERS" : "--workers",
      text,
      `a whole number from 1 to ${MOST_WORKERS}`,
    );
  return value;
}

const MOST_WORKERS = 256;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

function milliseconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] as string] as number);
}

function duration(env: Environment, name: string, fallback: string, most = "1h"): number {
  const text = env[name] || fallback;
  const value = milliseconds(text);
  if (value === undefined || value < 1 || value > (milliseconds(most) as number))
    throw setting(name, text, `a duration such as 500ms or 2s, up to ${most}`);
  return Math.round(value);
}

const SIZES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const LEAST_STATE_MEMORY = 2 ** 20;

function bytes(env: Environment, name: string, fallback: string): number {
  const text = env[name] || fallback;
  const match = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (SIZES[match[2] as string] as number);
  if (!(value >= LEAST_STATE_MEMORY)) throw setting(name, text, "a size such as 64MiB or 2GiB, from 1MiB up");
  return Math.round(value);
}

function count(env: Environment, name: string, fallback: string): number {
  const text = env[name] || fallback;
  if (!/^\d{1,2}$/.test(text)) throw setting(name, text, "a number from 0 to 99");
  return Number(text);
}

function startPosition(text: string): JobSettings["from"] {
  if (text === "earliest" || text === "latest") return text;
  const back = text.startsWith("-") ? milliseconds(text.slice(1)) : undefined;
  if (back !== undefined) return Date.now() - back;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw setting(
      "MILLRACE_FROM",
      text,
      "earliest, latest, an ISO 8601 time, or a duration back from now such as -10m",
    );
  return time;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw setting("PORT", text, "a port number");
  return value;
}

function usage(what: string): Refusal {
  return new Refusal({
    code: "WRONG_USAGE",
    what,
    remedies: [
      "flags of a job: --until end, --json, --workers N, --on-error stop, --reset, --rebuild, --yes, and one per parameter (--max-lag 5)",
    ],
  });
}

function setting(name: string, value: string, allowed: string): Refusal {
  return new Refusal({
    code: "WRONG_SETTING",
    what: `${name} is ${JSON.stringify(value)}, which is not understood.`,
    remedies: [`it may be ${allowed}`],
  });
}

const FLAGS = ["--help", "--until", "--json", "--workers", "--on-error", "--reset", "--rebuild", "--yes"];

/** Refuses flags that neither the job nor a parameter knows. @throws {Refusal} `WRONG_USAGE` */
export function refuseUnknownFlags(flags: ReadonlyMap<string, string>, parameters: readonly string[]): void {
  const unknown = [...flags.keys()].filter((flag) => !FLAGS.includes(flag) && !parameters.includes(flag));
  if (unknown.length === 0) return;
  throw new Refusal({
    code: "WRONG_USAGE",
    what: `The flag ${unknown.join(", ")} is unknown.`,
    remedies: [
      `flags of this job: ${["--until end", "--json", "--workers N", "--on-error stop", "--reset", "--rebuild", "--yes", ...parameters].join(", ")}`,
    ],
  });
}
