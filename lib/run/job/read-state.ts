import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { MillraceError, Refusal } from "../../error.ts";
import { fromEnvironment } from "../../log/config.ts";
import {
  queryState,
  type SqlValue,
  STATE_LIMITS,
  type StateAnswer,
  type StateQueryLimits,
} from "../../state/duckdb/state-query.ts";
import { readOwner } from "./state-folder.ts";

/**
 * Asks a job's state, as of its last checkpoint: by its URL, or by its folder (a state folder, or a job folder that has one in `state/`). While the
 * job runs its process answers (`owner.json` leads to it); otherwise the file is opened for reading.
 * @param where `http://…` or a folder
 * @throws {Refusal} `NO_STATE`, `BAD_SQL`, `NOT_READ_ONLY`
 * @throws {MillraceError} `OWNER_UNREACHABLE`
 */
export async function readState(
  where: string,
  sql: string,
  token = fromEnvironment("MILLRACE_STATE_TOKEN"),
  { values = [], limits = STATE_LIMITS, worker }: StateQuestion = {},
): Promise<StateAnswer> {
  const question = { sql, values, limits, ...(worker !== undefined && { worker }) };
  if (/^https?:\/\//.test(where)) return await askOwner(where.replace(/\/(state\/?)?$/, ""), question, token);
  const folder = stateFolder(where);
  const owner = await readOwner(folder);
  if (owner !== undefined && isAlive(owner.pid)) {
    try {
      return await askOwner(owner.url, question, token);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== "OWNER_UNREACHABLE" || isAlive(owner.pid)) throw error;
    }
  }
  const further = furtherWorkers(folder);
  if (worker === undefined && further.length > 0) throw whichWorker(undefined, [0, ...further]);
  if (worker !== undefined && worker !== 0 && !further.includes(worker)) throw whichWorker(worker, [0, ...further]);
  const own = worker === undefined || worker === 0 ? folder : path.join(folder, `worker-${worker}`);
  return await readStateFile(path.join(own, "state.duckdb"), question);
}

/** What goes with a statement. */
export interface StateQuestion {
  /** For `$1`, `$2`, … */
  readonly values?: readonly SqlValue[];
  /** Of a job with several workers on its machine: whose state. */
  readonly worker?: number;
  /** The owner of a running job keeps to its own where they are narrower. */
  readonly limits?: StateQueryLimits;
}

/** A whole question. */
export type Question = Required<Omit<StateQuestion, "worker">> &
  Pick<StateQuestion, "worker"> & { readonly sql: string };

/** The workers beside the first one whose state is in a folder. */
function furtherWorkers(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => /^worker-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => existsSync(path.join(folder, `worker-${number}`, "state.duckdb")))
    .sort((a, b) => a - b);
}

/** What to say where the state is in several files and none, or none that is there, was named. */
export function whichWorker(asked: number | undefined, numbers: readonly number[]): Refusal {
  return new Refusal({
    code: "SEVERAL_WORKERS",
    what:
      asked === undefined
        ? `The state of this job is kept by ${numbers.length} workers, each that of its own partitions.`
        : `There is no worker ${asked}.`,
    remedies: [`say whose: millrace state … --worker N, or /state?worker=N; N is one of ${numbers.join(", ")}`],
  });
}

function stateFolder(where: string): string {
  const folders = [where, path.join(where, "state")];
  const found = folders.find((folder) => existsSync(path.join(folder, "state.duckdb")));
  if (found !== undefined && statSync(found).isDirectory()) return found;
  throw new Refusal({
    code: "NO_STATE",
    what: `There is no state in ${where}.`,
    remedies: ["name a job's folder, its state folder (MILLRACE_STATE_DIR), or the URL of a running job"],
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function askOwner(url: string, question: Question, token: string | undefined): Promise<StateAnswer> {
  let response: Response;
  try {
    response = await fetch(`${url}/state`, {
      method: "POST",
      body: JSON.stringify(question),
      headers: {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(30_000),
    });
  } catch (cause) {
    throw new MillraceError({
      code: "OWNER_UNREACHABLE",
      what: "The running job does not answer.",
      where: url,
      remedies: [
        "see whether it is still running",
        "a job in a container is asked by the URL that its PORT is reached at",
      ],
      cause,
    });
  }
  const answer = (await response.json()) as StateAnswer & { code?: string; error?: string };
  if (response.ok) return answer;
  throw new Refusal({
    code: answer.code ?? "STATE_REFUSED",
    what: answer.error ?? `The job answered ${response.status}.`,
    where: url,
    ...(response.status === 401 && { remedies: ["set MILLRACE_STATE_TOKEN to the job's token"] }),
  });
}

/** Asks a DuckDB file that nobody has open for writing. */
async function readStateFile(file: string, { sql, values, limits }: Question): Promise<StateAnswer> {
  const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY", threads: "2" });
  try {
    const connection = await instance.connect();
    try {
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
      return await queryState(connection, sql, limits, values);
    } finally {
      connection.closeSync(); // while one is open, the file stays locked
    }
  } finally {
    instance.closeSync();
  }
}
