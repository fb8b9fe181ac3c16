import { randomUUID } from "node:crypto";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import pl from "nodejs-polars";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { topic } from "../lib/index.ts";
import { Cluster, Producer } from "../lib/log/index.ts";
import { type Channel, HOST, type NotebookHost } from "../lib/run/host.ts";
import type { NotebookLiveFrame } from "../lib/run/notebook/notebook-live-frame.ts";
import { columnsOf } from "../test/log/records.ts";

const HELP = `node bench/main.ts viewers [options]
  Rows a second that a live frame of many columns reads, with and without viewers: tables that are sent pictures and acknowledge them at once, as lab
  extensions do. The runs take turns; every row must have been read, and every viewer must have seen the last one.
  --rows N       rows of the topic (400000)
  --columns N    columns (50)
  --viewers N    (10)
  --repeat N     runs of each (5)`;

const ROWS_A_MESSAGE = 1000;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: "string", default: "400000" },
      columns: { type: "string", default: "50" },
      viewers: { type: "string", default: "10" },
      repeat: { type: "string", default: "5" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rows, columns, viewers, repeat] = [values.rows, values.columns, values.viewers, values.repeat].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const broker = await EmbeddedBroker.start({ heap: 1024 });
  process.env.KAFKA_BOOTSTRAP_SERVERS = broker.bootstrapServers;
  try {
    await fill(broker.bootstrapServers, rows, columns);
    const host = new Screens();
    (globalThis as Record<symbol, unknown>)[HOST] = host.host;
    await read(host, rows, 0); // warms up
    const rates: Record<"without" | "with", number[]> = { without: [], with: [] };
    let pictures = 0;
    for (let i = 0; i < repeat; i++) {
      rates.without.push((await read(host, rows, 0)).rate);
      const watched = await read(host, rows, viewers);
      rates.with.push(watched.rate);
      pictures += watched.pictures;
    }
    const [without, watched] = [median(rates.without), median(rates.with)];
    console.log(`| rows | columns | viewers | rows/s without | rows/s with | ratio | pictures a run |`);
    console.log("|---:|---:|---:|---:|---:|---:|---:|");
    console.log(
      `| ${rows} | ${columns} | ${viewers} | ${Math.round(without)} | ${Math.round(watched)} | ${(watched / without).toFixed(3)} | ${Math.round(pictures / repeat)} |`,
    );
    console.log(`all: without ${rates.without.map(Math.round)}, with ${rates.with.map(Math.round)}`);
    console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
  } finally {
    await broker.stop();
  }
}

async function fill(servers: string, rows: number, columns: number): Promise<void> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  await cluster.createTopic("wide", {
    partitions: 1,
    config: { "retention.ms": "-1", "max.message.bytes": "10000000" },
  });
  const producer = await Producer.create(cluster);
  for (let from = 0; from < rows; from += ROWS_A_MESSAGE) {
    const n = Array.from({ length: ROWS_A_MESSAGE }, (_, i) => from + i);
    const frame = pl.DataFrame(
      Array.from({ length: columns }, (_, c) =>
        pl.Series(
          `c${c}`,
          Float64Array.from(n, (i) => (i * (c + 1)) % 1000),
        ),
      ),
    );
    await producer.send(
      "wide",
      0,
      columnsOf([{ key: "k", value: frame.writeIPCStream(), timestamp: 1_700_000_000_000 + from }]),
    );
  }
  await producer.flush();
  await producer.close();
  await cluster.close();
}

async function read(screens: Screens, rows: number, viewers: number): Promise<{ rate: number; pictures: number }> {
  const began = performance.now();
  const live = topic("wide", { key: "key", format: "arrow" }).live({ from: "earliest" }) as NotebookLiveFrame;
  const watching = Array.from({ length: viewers }, () => screens.watch(live.id));
  while (live.status.rowsOut < rows) {
    if (live.status.error !== undefined) throw live.status.error;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const seconds = (performance.now() - began) / 1000;
  while (watching.some(({ rowsOut }) => rowsOut < rows)) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const { close } of watching) close();
  await live.stop();
  return { rate: rows / seconds, pictures: watching.reduce((sum, { pictures }) => sum + pictures, 0) };
}

/** A host whose front ends are here: they acknowledge each picture as soon as it comes. */
class Screens {
  readonly #opened = new Map<string, (channel: Channel, data: unknown) => void>();
  readonly host: NotebookHost = {
    cell: () => undefined,
    headless: false,
    liveFor: 0,
    display: () => ({ id: randomUUID(), update: () => {} }),
    hold: () => {},
    recordRead: () => {},
    listen: (target, opened) => void this.#opened.set(target, opened),
  };

  watch(id: string) {
    let heard: (data: unknown) => void = () => {};
    let closed: () => void = () => {};
    const screen = { pictures: 0, rowsOut: 0, close: () => closed() };
    const channel: Channel = {
      send: (data) => {
        screen.pictures++;
        screen.rowsOut = (data as { status?: { rowsOut: number } }).status?.rowsOut ?? 0;
        setImmediate(() => heard({ do: "shown" }));
      },
      onMessage: (callback) => {
        heard = callback;
      },
      onClose: (callback) => {
        closed = callback;
      },
    };
    this.#opened.get("millrace.live")!(channel, { id });
    return screen;
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
