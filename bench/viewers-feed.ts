// Writes messages of many rows at a steady rate until it is ended: a process of its own, so that what it costs is not counted with the reader.
// Arguments: servers, topic, rows a second, columns.
import pl from "nodejs-polars";
import { Cluster, Producer } from "../lib/log/index.ts";
import { columnsOf } from "../test/log/records.ts";

export const ROWS_A_MESSAGE = 1000;

/** An Arrow message of rows that are told by their number. */
export function message(from: number, columns: number): Uint8Array {
  const n = Array.from({ length: ROWS_A_MESSAGE }, (_, i) => from + i);
  const series = Array.from({ length: columns }, (_, c) =>
    pl.Series(
      `c${c}`,
      Float64Array.from(n, (i) => (i * (c + 1)) % 1000),
    ),
  );
  return pl.DataFrame(series).writeIPCStream();
}

async function feed(servers: string, topic: string, rate: number, columns: number): Promise<void> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  const producer = await Producer.create(cluster);
  const value = message(0, columns);
  const began = performance.now();
  for (let sent = 0; ; sent += ROWS_A_MESSAGE) {
    const ahead = began + (sent / rate) * 1000 - performance.now();
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    await producer.send(topic, 0, columnsOf([{ key: "k", value, timestamp: Date.now() }]));
  }
}

if (import.meta.main) {
  const [servers, topic, rate, columns] = process.argv.slice(2) as [string, string, string, string];
  await feed(servers, topic, Number(rate), Number(columns));
}
