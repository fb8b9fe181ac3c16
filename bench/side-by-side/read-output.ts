import pl from "nodejs-polars";
import { type Cluster, Fetcher } from "../../lib/log/index.ts";
import { dtypeOf, type Schema } from "../../lib/schema.ts";

/**
 * The committed records of a topic as a frame: `device` (the record key), `partition`, and the value's columns; in offset order per partition.
 * Values are parsed by Polars itself.
 */
export async function readOutput(cluster: Cluster, topic: string, schema: Schema): Promise<pl.DataFrame> {
  const ends = await cluster.listOffsets(topic, "latest");
  const fetcher = new Fetcher(cluster, { isolation: "read_committed" });
  const left = new Map([...ends].filter(([, end]) => end > 0));
  for (const partition of left.keys()) fetcher.assign(topic, partition, 0);
  const parts = new Map<number, { values: Uint8Array[]; keys: string[] }>();
  let deadline = Date.now() + 30_000;
  while (left.size > 0) {
    const fetched = await fetcher.poll();
    if (fetched.length > 0) deadline = Date.now() + 30_000;
    else if (Date.now() > deadline)
      throw new Error(`reading ${topic} stands still before its end: ${[...left.keys()]}`);
    for (const { partition, columns, nextOffset, error } of fetched) {
      if (error !== undefined) throw error;
      if (nextOffset >= left.get(partition)!) left.delete(partition);
      const part = parts.get(partition) ?? { values: [], keys: [] };
      parts.set(partition, part);
      if (columns.count === 0) continue;
      part.values.push(Uint8Array.from(columns.values.bytes));
      const { bytes, starts, ends } = columns.keys;
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = 0; i < columns.count; i++) part.keys.push(buffer.toString("latin1", starts[i], ends[i]));
    }
  }
  await fetcher.close();
  const frames = [...parts]
    .sort(([a], [b]) => a - b)
    .map(([partition, { values, keys }]) => {
      const rows = parseLines(values, schema);
      if (rows.height !== keys.length)
        throw new Error(`${topic}/${partition}: ${keys.length} records, but ${rows.height} values`);
      return rows.withColumns(pl.Series("device", keys, pl.Utf8), pl.lit(partition).cast(pl.Int32).alias("partition"));
    })
    .filter((frame) => frame.height > 0);
  if (frames.length === 0) throw new Error(`${topic} is empty`);
  return frames.length === 1 ? frames[0]! : pl.concat(frames);
}

/** JSON lines by Polars; a made-up first line fixes the types, for Polars infers an integer from `1` and then fails at `1.5`. */
function parseLines(values: readonly Uint8Array[], schema: Schema): pl.DataFrame {
  const template = Object.fromEntries(
    Object.entries(schema).map(([name, dtype]) => [name, dtype === "Float64" ? 0.5 : dtype === "Utf8" ? "" : 1]),
  );
  const lines = Buffer.concat([Buffer.from(`${JSON.stringify(template)}\n`), ...values]);
  return pl
    .readJSON(lines, { format: "lines", inferSchemaLength: 1 })
    .slice(1, lines.length)
    .select(...Object.entries(schema).map(([name, dtype]) => pl.col(name).cast(dtypeOf(dtype))));
}
