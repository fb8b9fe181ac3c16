import { Command, InvalidArgumentError } from "commander";
import { Cluster, kafkaConfigFromEnv } from "../../../lib/log/index.ts";
import { topicPartitions } from "../../topic-partitions.ts";
import { LinesOut } from "../lines-out.ts";

/** `millrace topics`: what there is, how many partitions, how many records. */
export const command = new Command("topics")
  .description("list topics with their partitions and offsets")
  .argument("[pattern]", "names to list, as a regular expression", pattern, ".*")
  .option("--json", "one JSON array")
  .action(async (names: string, { json }: { json?: boolean }) => {
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    try {
      const found = await cluster.topicsMatching(names);
      const rows = await Promise.all(
        found.map(async (name) => {
          const partitions = await topicPartitions(cluster, name);
          return { topic: name, records: partitions.reduce((sum, { first, end }) => sum + end - first, 0), partitions };
        }),
      );
      const out = new LinesOut();
      if (json) await out.write(JSON.stringify(rows));
      else if (rows.length === 0) console.error(`No topics at ${cluster.config.bootstrapServers}.`);
      else for (const line of table(rows)) await out.write(line);
    } finally {
      await cluster.close();
    }
  });

function table(
  rows: readonly { topic: string; records: number; partitions: readonly { first: number; end: number }[] }[],
): string[] {
  const cells = [
    ["TOPIC", "PARTITIONS", "OFFSETS", "OFFSETS FROM..TO PER PARTITION"],
    ...rows.map(({ topic, records, partitions }) => [
      topic,
      String(partitions.length),
      records.toLocaleString("en"),
      partitions.map(({ first, end }) => `${first}..${end}`).join("  "),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map(([topic, count, records, ranges]) =>
    `${topic!.padEnd(widths[0]!)}  ${count!.padStart(widths[1]!)}  ${records!.padStart(widths[2]!)}  ${ranges}`.trimEnd(),
  );
}

function pattern(text: string): string {
  try {
    new RegExp(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
