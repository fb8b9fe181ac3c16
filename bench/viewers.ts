import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { availableParallelism, loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { topic } from "../lib/index.ts";
import { Cluster, Producer } from "../lib/log/index.ts";
import { type Channel, HOST, type NotebookHost } from "../lib/run/host.ts";
import type { NotebookLiveFrame } from "../lib/run/notebook/notebook-live-frame.ts";
import { columnsOf } from "../test/log/records.ts";
import { message } from "./viewers-feed.ts";

const HELP = `node bench/main.ts viewers [options]
  What viewers cost the thread that reads: CPU seconds a second of that thread, and of the whole process, while a live frame of many columns reads at a
  fixed rate, with and without tables that look at it. They are sent pictures and acknowledge them at once, as lab extensions do. Spans with and without
  take turns; the frame must keep up, and every viewer must see what came last.
  --rate N       rows a second (200000)
  --columns N    columns (50)
  --viewers N    (10)
  --seconds N    of a span (5)
  --repeat N     spans of each kind (5)`;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: "string", default: "200000" },
      columns: { type: "string", default: "50" },
      viewers: { type: "string", default: "10" },
      seconds: { type: "string", default: "5" },
      repeat: { type: "string", default: "5" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rate, columns, viewers, seconds, repeat] = [
    values.rate,
    values.columns,
    values.viewers,
    values.seconds,
    values.repeat,
  ].map(Number) as [number, number, number, number, number];
  const broker = await EmbeddedBroker.start({ heap: 1024 });
  const servers = broker.bootstrapServers;
  process.env.KAFKA_BOOTSTRAP_SERVERS = servers;
  let feed: ChildProcess | undefined;
  try {
    await firstMessage(servers, columns);
    feed = spawn(process.execPath, [FEED, servers, "wide", String(rate), String(columns)], { stdio: "inherit" });
    const screens = new Screens();
    (globalThis as Record<symbol, unknown>)[HOST] = screens.host;
    const live = topic("wide", { key: "key", format: "arrow" }).live({ from: "latest" }) as NotebookLiveFrame;
    await span(live, screens, 0, seconds); // warms up
    await span(live, screens, viewers, seconds);
    const spans: Record<"without" | "with", Span[]> = { without: [], with: [] };
    for (let i = 0; i < repeat; i++) {
      spans.without.push(await span(live, screens, 0, seconds));
      spans.with.push(await span(live, screens, viewers, seconds));
    }
    await live.stop();
    console.log(`| | rows/s | lag at the end | CPU of the thread, s/s | CPU of the process, s/s | pictures/s |`);
    console.log("|---|---:|---:|---:|---:|---:|");
    for (const kind of ["without", "with"] as const) {
      const of = (pick: (span: Span) => number, digits: number) => median(spans[kind].map(pick)).toFixed(digits);
      console.log(
        `| ${kind === "with" ? `${viewers} viewers` : "none"} | ${of((each) => each.rows, 0)} | ${of((each) => each.lag, 0)} | ${of((each) => each.thread, 3)} | ${of((each) => each.process, 3)} | ${of((each) => each.pictures, 1)} |`,
      );
    }
    const per = (kind: "without" | "with") => median(spans[kind].map(({ thread, rows }) => (thread / rows) * 1e9));
    console.log(
      `CPU of the thread, ns a row of ${columns} columns: ${Math.round(per("without"))} without, ${Math.round(per("with"))} with (${(per("with") / per("without")).toFixed(3)})`,
    );
    console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
  } finally {
    feed?.kill("SIGKILL");
    await broker.stop();
  }
}

const FEED = path.join(import.meta.dirname, "viewers-feed.ts");

async function firstMessage(servers: string, columns: number): Promise<void> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  // what is read is let go of, so that the disk holds seconds of it only
  const config = {
    "retention.bytes": "500000000",
    "segment.bytes": "100000000",
    "max.message.bytes": "10000000",
    "retention.ms": "-1",
  };
  await cluster.createTopic("wide", { partitions: 1, config });
  const producer = await Producer.create(cluster);
  await producer.send("wide", 0, columnsOf([{ key: "k", value: message(0, columns), timestamp: Date.now() }]));
  await producer.flush();
  await producer.close();
  await cluster.close();
}

interface Span {
  readonly rows: number;
  readonly lag: number;
  /** CPU seconds a second. */
  readonly thread: number;
  readonly process: number;
  readonly pictures: number;
}

async function span(live: NotebookLiveFrame, screens: Screens, viewers: number, seconds: number): Promise<Span> {
  const watching = Array.from({ length: viewers }, () => screens.watch(live.id));
  const [began, rows] = [performance.now(), live.status.rowsOut];
  const [thread, whole] = [process.threadCpuUsage(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - began) / 1000;
  const used = (of: NodeJS.CpuUsage) => (of.user + of.system) / 1e6 / took;
  const made = {
    rows: (live.status.rowsOut - rows) / took,
    lag: live.status.lag,
    thread: used(process.threadCpuUsage(thread)),
    process: used(process.cpuUsage(whole)),
    pictures: watching.reduce((sum, { pictures }) => sum + pictures, 0) / took,
  };
  if (live.status.error !== undefined) throw live.status.error;
  const last = live.status.rowsOut;
  while (watching.some(({ rowsOut }) => rowsOut < last)) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const { close } of watching) close();
  return made;
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
