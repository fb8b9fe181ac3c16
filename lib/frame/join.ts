import { Refusal } from "../error.ts";
import { parseDuration } from "../plan/duration.ts";
import type { JoinHow } from "../plan/join-how.ts";
import { joinNode } from "../plan/nodes/join-node.ts";
import { joinStaticNode } from "../plan/nodes/join-static-node.ts";
import { joinTableNode } from "../plan/nodes/join-table-node.ts";
import { type JoinTablesNode, joinTablesNode } from "../plan/nodes/join-tables-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { isByKeys, isForeign, tableKeys } from "../plan/table-keys.ts";
import { checkOptions } from "./options.ts";
import { StaticTable } from "./static-table.ts";

/** Names and meanings as in Polars' join; `within`, `grace`, `history` and `latest` are what a stream needs besides. */
export interface StreamJoinOptions {
  /** Columns of both sides that are compared. */
  readonly on?: string | readonly string[];
  readonly leftOn?: string | readonly string[];
  readonly rightOn?: string | readonly string[];
  /**
   * `"inner"` (default), `"left"`, `"right"`, `"full"` (or `"outer"`), `"semi"`, `"anti"` between streams; `"inner"`, `"left"` with a table of a
   * topic; `"inner"`, `"left"`, `"semi"`, `"anti"` with fixed rows; `"inner"`, `"left"`, `"full"` between two tables, without `"full"` by a foreign key.
   */
  readonly how?: JoinHow | "outer";
  /** Between streams: how far apart in event time rows may be, `"10s"` either way, or `{ before, after }`: from before to after the left row. */
  readonly within?: string | { readonly before?: string; readonly after?: string };
  /** Between streams: how long late rows are waited for (`"0s"`). */
  readonly grace?: string;
  /**
   * With a table: how late a row may be and still see the version of its time (`"1h"`). The newest version of a key stays however old it is; of a
   * deleted key its key and time stay, so that an older version which comes late does not bring it back (`latest` forgets deleted keys).
   */
  readonly history?: string;
  /** With a table: always the newest version read. Not replayable. */
  readonly latest?: boolean;
  /** For columns of the other side whose names are taken (`"_right"`). */
  readonly suffix?: string;
  /** A full join between streams gives the keys once (false). */
  readonly coalesce?: boolean;
}

const OPTIONS = ["on", "leftOn", "rightOn", "how", "within", "grace", "history", "latest", "suffix", "coalesce"];

/** What rows can be joined with. */
export interface Joinable {
  readonly node: PlanNode;
}

/** The plan of a join, by what the other side is. @throws Refusal */
export function joinNodeOf(input: PlanNode, other: Joinable | StaticTable, options: StreamJoinOptions): PlanNode {
  checkOptions("join", options ?? {}, OPTIONS);
  const { suffix = "_right", within, grace, history, latest = false, coalesce = false } = options;
  const { leftOn, rightOn } = joinKeys(options, "join");
  const how = options.how === "outer" ? "full" : (options.how ?? "inner");
  const keys = { input, leftOn, rightOn, suffix };
  const only = (given: Readonly<Record<string, unknown>>, what: string): void => {
    for (const [name, value] of Object.entries(given))
      if (value !== undefined && value !== false)
        throw new Refusal({
          code: "BAD_OPTION",
          what: `"${name}" means nothing in a join with ${what}`,
          where: "join",
          remedies: [`leave ${name} out`],
        });
  };
  if (other instanceof StaticTable) {
    only({ within, grace, history, latest, coalesce }, "fixed rows");
    const { digest, origin, schema } = other;
    return joinStaticNode({
      ...keys,
      how: allowed(how, ["inner", "left", "semi", "anti"], FIXED),
      digest,
      origin,
      schema,
    });
  }
  if (other?.node === undefined)
    throw new Refusal({
      code: "BAD_OPTION",
      what: "join() was given neither a frame nor a table",
      where: "join",
      remedies: [
        'a topic: topic("…")',
        'a table: table("devices", { key: "device" })',
        "fixed rows: table(pl.DataFrame(…))",
      ],
    });
  if (isTable(input) && isTable(other.node)) {
    only({ within, grace, history, latest, coalesce }, "another table");
    return tablesNode(
      joinTablesNode({ ...keys, other: other.node, how: allowed(how, ["inner", "left", "full"], TABLES) }),
    );
  }
  if (other.node.kind === "table") {
    only({ within, grace, coalesce }, "a table");
    if (latest && history !== undefined)
      throw new Refusal({
        code: "BAD_OPTION",
        what: "`latest` knows no history: it sees the newest version only",
        where: "join",
        remedies: ["leave one of them out"],
      });
    const kept = latest ? {} : { history: span(history ?? "1h", "history") };
    return joinTableNode({ ...keys, other: other.node, how: allowed(how, ["inner", "left"], TABLE), ...kept });
  }
  only({ history, latest }, "a stream");
  if (within === undefined)
    throw new Refusal({
      code: "NO_HORIZON",
      what: "a join of two streams has to say how far apart in event time rows may be: else every row would be kept for ever",
      where: "join",
      remedies: [
        'say it: .join(other, { on: "device", within: "10s" })',
        'the nearest row before each: .joinAsof(other, { on: "timestamp", by: "device" })',
        'the newest row per key: open the other side as table("…", { key: "device" })',
      ],
    });
  const around = typeof within === "string" ? { before: within, after: within } : within;
  checkOptions("join: within", around, ["before", "after"]);
  return joinNode({
    ...keys,
    other: other.node,
    how: allowed(how, ["inner", "left", "right", "full", "semi", "anti"], ""),
    before: span(around.before ?? "0s", "within"),
    after: span(around.after ?? "0s", "within"),
    grace: span(grace ?? "0s", "grace"),
    coalesce,
  });
}

/** By the keys of both tables, or by a column of the left one that holds the key of the right one. @throws Refusal */
function tablesNode(node: JoinTablesNode): JoinTablesNode {
  const { input, other, leftOn, rightOn, how } = node;
  if (isByKeys(node)) return node;
  if (isForeign(node)) {
    allowed(how, ["inner", "left"], "rows that only the right table has belong to no key of the left one");
    return node;
  }
  const [left, right] = [tableKeys(input)!, tableKeys(other)!].map((names) => names.join(", "));
  throw new Refusal({
    code: "NEEDS_REPARTITION",
    what: `two tables are joined by the keys of both (${left}; ${right}), or by a column of the left one that holds the key of the right one: ${leftOn.join(", ")} and ${rightOn.join(", ")} are neither`,
    where: "join",
    remedies: [
      `compare with the right table's key: rightOn: ${JSON.stringify(right)}`,
      "put the table whose column holds the other's key on the left",
      "where the table does not change, load it whole: table(await …collect(), { key })",
    ],
  });
}

const FIXED = "rows that only the table has are known when it is loaded, not when the stream comes";
const TABLE = "rows that only the table has belong to no row of the stream";
const TABLES = 'make it the other way round, with how: "left"';

function allowed<How extends string>(how: string, known: readonly How[], why: string): How {
  if ((known as readonly string[]).includes(how)) return how as How;
  throw new Refusal({
    code: "NO_EXACT_STREAMING_MEANING",
    what: `join with how "${how}" is not one of ${known.map((name) => `"${name}"`).join(", ")} here${why && `: ${why}`}`,
    where: "join",
    remedies: known.slice(0, 2).map((name) => `how: "${name}"`),
  });
}

/** Tables stay tables when they are joined with each other. */
export function isTable(node: PlanNode): boolean {
  return node.kind === "table" || node.kind === "joinTables";
}

/** Milliseconds; not negative. @throws Refusal `BAD_DURATION` */
export function span(text: string, name: string): number {
  const ms = parseDuration(text, name);
  if (ms >= 0) return ms;
  throw new Refusal({
    code: "BAD_DURATION",
    what: `${name} "${text}" must not be negative`,
    where: name,
    remedies: ['write a duration such as "10s"; { before, after } where the two directions differ'],
  });
}

/** The columns that are compared. @throws Refusal `NO_KEY` */
export function joinKeys(
  { on, leftOn, rightOn }: Pick<StreamJoinOptions, "on" | "leftOn" | "rightOn">,
  verb: string,
): { leftOn: readonly string[]; rightOn: readonly string[] } {
  const left = [on ?? leftOn ?? []].flat() as string[];
  const right = [on ?? rightOn ?? []].flat() as string[];
  const named = [...left, ...right].every((name) => typeof name === "string");
  if (left.length > 0 && left.length === right.length && named && (on === undefined || !(leftOn ?? rightOn)))
    return { leftOn: Object.freeze(left), rightOn: Object.freeze(right) };
  throw new Refusal({
    code: "NO_KEY",
    what: `${verb} was not told which columns to compare${left.length === right.length ? "" : `: ${left.length} on the left, ${right.length} on the right`}`,
    where: verb,
    remedies: ['a column of both sides: { on: "device" }', 'two names: { leftOn: "device", rightOn: "id" }'],
  });
}
