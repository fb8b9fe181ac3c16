import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Row } from "./expected.ts";
import { temporaryFolder, type Written } from "./support.ts";

/** What is written beside the input of a job: readings of other phones, and the models of phones. */
export interface Inputs {
  readonly input: readonly Written[];
  readonly other: readonly Written[];
  readonly models: readonly Written[];
}

type Meeting = "sessions" | "halves" | "pairs" | "models" | "anew" | "anew-windows" | "pairs-anew";

/** Rows that are placed anew come by the largest event time of their partition so far, then by partition and offset. */
const PLACED = `(SELECT *, n % 5 AS bucket, max(t) OVER (PARTITION BY p ORDER BY o) AS at FROM input)`;

/** Each gives `key` and `at`, the key and timestamp of the output, and its columns; times by the name of `…_at`, in ms. */
const QUERIES: Readonly<Record<Meeting, string>> = {
  // readings less than 40 ms apart; those that the partition's time has passed
  sessions: `
    WITH marked AS (
      SELECT *, coalesce(t - lag(t) OVER (PARTITION BY device ORDER BY t, o) >= 40, true)::int AS first, max(t) OVER (PARTITION BY p) AS reached FROM input),
    numbered AS (SELECT *, sum(first) OVER (PARTITION BY device ORDER BY t, o) AS session FROM marked)
    SELECT device AS key, max(t) + 39 AS at, device, min(t) AS window_start_at, max(t) + 40 AS window_end_at,
      count(*) AS count, arg_max(n, o) AS last, max(x) AS max
    FROM numbered GROUP BY device, session HAVING max(t) + 40 <= any_value(reached) ORDER BY min(t)`,
  // a reading without a partner is certain when the partition's time has passed its last chance
  halves: `
    WITH r AS (SELECT * FROM input WHERE n % 2 = 1),
    l AS (SELECT * FROM (SELECT *, max(t) OVER (PARTITION BY p) AS reached FROM input) WHERE n % 2 = 0)
    SELECT l.device AS key, greatest(l.t, coalesce(r.t, l.t)) AS at, l.device, l.t AS timestamp_at, l.x, l.y, l.n,
      r.t AS timestamp_right_at, r.n AS n_right
    FROM l LEFT JOIN r ON l.device = r.device AND r.t BETWEEN l.t - 15 AND l.t + 15
    WHERE r.n IS NOT NULL OR l.t + 15 + 1000 < l.reached`,
  pairs: `
    SELECT l.device AS key, greatest(l.t, r.t) AS at, l.device, l.t AS timestamp_at, l.x, l.y, l.n, r.t AS timestamp_right_at, r.n AS n_right
    FROM input l JOIN other r ON l.device = r.device AND r.t BETWEEN l.t - 10 AND l.t + 10`,
  models: `
    SELECT l.device AS key, l.t AS at, l.device, l.t AS timestamp_at, x, y, n, model
    FROM input l LEFT JOIN models m ON l.device = m.device ORDER BY p, o`,
  anew: `
    SELECT bucket::text AS key, t AS at, device, t AS timestamp_at, x, y, n, bucket,
      x - lag(x) OVER (PARTITION BY bucket ORDER BY placed.at, p, o) AS delta
    FROM ${PLACED} placed ORDER BY placed.at, p, o`,
  // a second of grace; the last placed row of a window is the one that came last
  "anew-windows": `
    SELECT bucket::text AS key, t // 1000 * 1000 + 999 AS at, bucket, t // 1000 * 1000 AS window_start_at, t // 1000 * 1000 + 1000 AS window_end_at,
      sum(n)::bigint AS sum, arg_max(n, (placed.at, p, o)) AS last, count(*) AS count
    FROM ${PLACED} placed GROUP BY bucket, t // 1000
    HAVING t // 1000 * 1000 + 2000 <= (SELECT max(t) FROM input) ORDER BY t // 1000`,
  // as the last row of each window says it
  "pairs-anew": `
    SELECT bucket::text AS key, second * 1000 + 999 AS at, bucket, second * 1000 AS window_start_at, second * 1000 + 1000 AS window_end_at,
      sum(n)::bigint AS sum, sum(n_right)::bigint AS sum_right, count(*) AS count
    FROM (
      SELECT l.n % 5 AS bucket, greatest(l.t, r.t) // 1000 AS second, l.n, r.n AS n_right
      FROM input l JOIN other r ON l.device = r.device AND r.t BETWEEN l.t - 10 AND l.t + 10)
    GROUP BY bucket, second ORDER BY second`,
};

export const isMeeting = (plan: string): plan is Meeting => plan in QUERIES;

/** What DuckDB makes of the same records: joins, sessions, and rows placed by another key. */
export async function expectedMeetings(inputs: Inputs, plans: readonly Meeting[]): Promise<Record<string, Row[]>> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const folder = await temporaryFolder();
  const readings = "{p: 'BIGINT', o: 'BIGINT', device: 'VARCHAR', t: 'BIGINT', x: 'DOUBLE', y: 'DOUBLE', n: 'BIGINT'}";
  const load = async (name: string, columns: string, rows: readonly object[]) => {
    const file = path.join(folder, `${name}.json`);
    await writeFile(file, rows.map((row) => JSON.stringify(row)).join("\n"));
    const source = `read_json('${file}', format = 'newline_delimited', columns = ${columns})`;
    await connection.run(`CREATE TABLE ${name} AS SELECT * FROM ${source}`);
  };
  const flat = ({ partition, offset, value: { timestamp, ...rest } }: Written) => ({
    p: partition,
    o: offset,
    t: timestamp,
    ...rest,
  });
  await load("input", readings, inputs.input.map(flat));
  await load("other", readings, inputs.other.map(flat));
  const models = inputs.models.map(({ key, value }) => ({ device: key, model: value.model }));
  await load("models", "{device: 'VARCHAR', model: 'VARCHAR'}", models);
  const expected: Record<string, Row[]> = {};
  for (const plan of plans) {
    const reader = await connection.runAndReadAll(QUERIES[plan]);
    expected[plan] = reader.getRowObjects().map(({ key, at, ...columns }) => {
      const value = Object.entries(columns).map(([name, cell]) => {
        const plain = typeof cell === "bigint" ? Number(cell) : cell;
        if (!name.endsWith("_at")) return [name, plain];
        return [name.slice(0, -3), plain === null ? null : new Date(plain as number).toISOString()];
      });
      return [key as string, Number(at), Object.fromEntries(value)];
    });
  }
  connection.closeSync();
  return expected;
}
