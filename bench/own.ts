import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { Cluster } from "../lib/log/index.ts";
import { CASES, type Size } from "./own/cases.ts";
import { type CaseRun, runCase } from "./own/run-case.ts";
import type { Guarantee } from "./side-by-side/peer.ts";

const HELP = `node bench/main.ts own [options]
  Jobs of Millrace alone, each output checked against batch Polars: many keys, wide rows, large values, compressed topics, sessions; with --sizes one of
  them over partitions, keys, value sizes and batch sizes.
  --only a,b       of ${Object.keys(CASES).join(", ")}
  --sizes          "delta" over sizes in the place of the cases; with --only those whose names hold one of these, such as "partitions"
  --scale F        of the number of messages (1)
  --workers N      (1)
  --guarantee G    (exactly-once)`;

/** A run of `--sizes`: what is varied, and how. */
const SIZES: readonly { readonly what: string; readonly size?: Partial<Size>; readonly run?: Partial<CaseRun> }[] = [
  ...[1, 10, 100].map((partitions) => ({ what: `${partitions} partitions`, run: { partitions } })),
  ...[10, 1000, 100_000, 1_000_000].map((keys) => ({ what: `${keys.toLocaleString("en")} keys`, size: { keys } })),
  // with --scale 5 every one of them
  { what: "10,000,000 keys", size: { keys: 10_000_000, count: 2_400_000 } },
  ...[100, 1000, 10_000].map((valueBytes) => ({
    what: `values of ${valueBytes.toLocaleString("en")} bytes`,
    size: { valueBytes, ...(valueBytes > 1000 && { count: 40_000 }) },
  })),
  ...[1000, 16_384, 900_000].map((batchBytes) => ({
    what: `batches of ${batchBytes.toLocaleString("en")} bytes`,
    run: { batchBytes },
  })),
];

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      sizes: { type: "boolean", default: false },
      scale: { type: "string", default: "1" },
      workers: { type: "string", default: "1" },
      guarantee: { type: "string", default: "exactly-once" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const base = {
    partitions: 4,
    batchBytes: 16_384,
    guarantee: values.guarantee as Guarantee,
    workers: Number(values.workers),
  };
  const scaled = (size: Size): Size => ({ ...size, count: Math.round(size.count * Number(values.scale)) });
  const runs: [string, CaseRun][] = values.sizes
    ? SIZES.filter(({ what }) => values.only?.split(",").some((part) => what.includes(part)) ?? true).map(
        ({ what, size, run }) => [
          what,
          { ...base, name: "delta", size: scaled({ ...CASES.delta!.size, ...size }), ...run },
        ],
      )
    : (values.only?.split(",") ?? Object.keys(CASES)).map((name) => [
        CASES[name]!.title,
        { ...base, name, size: scaled(CASES[name]!.size) },
      ]);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: (line) => console.error(line), partitions: base.partitions });
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  try {
    console.log("| job | messages | bytes a value | msg/s since first | MB/s | CPU us/msg | peak MiB |");
    console.log("|---|---:|---:|---:|---:|---:|---:|");
    for (const [title, run] of runs) {
      try {
        const { valueBytes, secondsSinceFirst, cpuSeconds, peakBytes } = await runCase(
          cluster,
          broker.bootstrapServers,
          work,
          run,
        );
        const rate = run.size.count / secondsSinceFirst;
        const cells = [
          run.size.count.toLocaleString("en"),
          valueBytes.toFixed(0),
          Math.round(rate).toLocaleString("en"),
        ];
        cells.push(((rate * valueBytes) / 1e6).toFixed(1), ((cpuSeconds * 1e6) / run.size.count).toFixed(2));
        console.log(`| ${title} | ${[...cells, (peakBytes / 2 ** 20).toFixed(0)].join(" | ")} |`);
      } catch (error) {
        console.log(`| ${title} | no figure: ${(error as Error).message.split("\n").slice(0, 4).join(" ")} |`);
        process.exitCode = 1;
      }
    }
  } finally {
    await cluster.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}
