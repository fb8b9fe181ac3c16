import assert from "node:assert/strict";
import { test } from "node:test";
import { COMPRESSIONS, Fetcher, Producer, partitionByKey } from "../../lib/log/index.ts";
import { consoleConsumer, kafkaTool } from "./java.ts";
import { columnsOf, numbered, rowsOf, type TestRecord } from "./records.ts";
import { connect, newTopic, read } from "./with-cluster.ts";

const SHOW_ALL = [
  "print.partition=true",
  "print.offset=true",
  "print.timestamp=true",
  "print.key=true",
  "print.headers=true",
  "null.literal=NULL",
];

test("what we write, in every compression, Kafka's console consumer reads: keys, values, headers, timestamps, nulls", async () => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "ours");
  const records: TestRecord[] = [
    { key: "a", value: "one", timestamp: 1_700_000_000_000, headers: { trace: "7", empty: "" } },
    { key: null, value: "grüße", timestamp: 1_600_000_000_000 },
    { key: "a", value: null, timestamp: 1_750_000_000_000 },
    { key: "", value: "", timestamp: 0 },
    ...numbered(500, "long value ".repeat(20)),
  ];
  for (const compression of COMPRESSIONS) {
    const producer = await Producer.create(cluster, { compression });
    await producer.send(topic, 0, columnsOf(records));
    await producer.flush();
    await producer.close();
  }
  const lines = await consoleConsumer(topic, records.length * COMPRESSIONS.length, SHOW_ALL);
  const expected = COMPRESSIONS.flatMap((_, round) =>
    records.map(({ key, value, timestamp, headers }, i) => {
      const shown = headers
        ? Object.entries(headers)
            .map(([name, text]) => `${name}:${text}`)
            .join(",")
        : "NO_HEADERS";
      return [
        `CreateTime:${timestamp}`,
        "Partition:0",
        `Offset:${round * records.length + i}`,
        shown,
        key ?? "NULL",
        value ?? "NULL",
      ].join("\t");
    }),
  );
  assert.deepEqual(lines, expected);
});

for (const compression of COMPRESSIONS)
  test(`what Kafka's console producer writes we read, placed as we would place it: ${compression}`, async () => {
    const cluster = await connect();
    const topic = await newTopic(cluster, "java", 4);
    const records = numbered(3000, "value with some text to compress ");
    const input = records.map(({ key, value }) => `${key}\t${value}\n`).join("");
    await kafkaTool(
      "org.apache.kafka.tools.ConsoleProducer",
      ["--topic", topic, "--compression-codec", compression, "--property", "parse.key=true", "--batch-size", "100000"],
      input,
    );
    const fetcher = new Fetcher(cluster);
    for (const partition of [0, 1, 2, 3]) fetcher.assign(topic, partition, 0);
    const rows = await read(fetcher, records.length);
    await fetcher.close();
    partitionByKey(columnsOf(records), 4).forEach((ours, partition) => {
      const theirs = rows.filter((row) => row.partition === partition);
      assert.deepEqual(
        theirs.map(({ key, value }) => [key, value]),
        rowsOf(ours).map(({ key, value }) => [key, value]),
      );
    });
  });
