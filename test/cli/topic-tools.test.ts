import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { freePort } from "../../kernel/broker/embedded-broker.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";

const MAIN = path.join(import.meta.dirname, "../../kernel/cli/main.ts");

/** Starts the command line against the test broker. */
async function start(...args: string[]) {
  return startAgainst(await sharedBroker(), ...args);
}

function startAgainst(servers: string, ...args: string[]) {
  const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output, exit };
}

async function millrace(args: string[], input = ""): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const { child, output, exit } = await start(...args);
  child.stdin.end(input);
  return { code: await exit, ...output };
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

test("produce writes lines, keyed and timed by fields; tail shows them in order of time; topics counts them", async () => {
  const topic = uniqueName("tools");
  const records = [
    { id: "b", at: "2026-01-02T00:00:00Z", n: 1 },
    { id: "a", at: Date.UTC(2026, 0, 1), n: 2 },
    { id: "b", at: "2026-01-03T00:00:00Z", n: 3 },
  ];
  const input = records.map((record) => JSON.stringify(record)).join("\n");
  const produced = await millrace(["produce", topic, "--key", "id", "--time", "at", "--partitions", "2"], input);
  assert.equal(produced.code, 0, produced.stderr);

  const tailed = lines((await millrace(["tail", topic, "--json"])).stdout).map((line) => JSON.parse(line));
  assert.deepEqual(
    tailed.map(({ key, timestamp, value }) => [
      key,
      new Date(timestamp).toISOString().slice(0, 10),
      JSON.parse(value).n,
    ]),
    [
      ["a", "2026-01-01", 2],
      ["b", "2026-01-02", 1],
      ["b", "2026-01-03", 3],
    ],
  );
  assert.equal((await millrace(["tail", topic, "-n", "1"])).stdout.trim(), JSON.stringify(records[2]));
  assert.equal(
    (await millrace(["tail", topic, "--from", "2026-01-01T12:00:00Z", "-n", "1", "--key"])).stdout.trim(),
    `b\t${JSON.stringify(records[0])}`,
  );

  const listed = JSON.parse((await millrace(["topics", topic, "--json"])).stdout);
  assert.equal(listed[0].topic, topic);
  assert.equal(listed[0].records, 3);
  assert.equal(listed[0].partitions.length, 2);
});

test("tail -f prints what arrives until it is interrupted", async () => {
  const topic = uniqueName("follow");
  await millrace(["produce", topic, "--partitions", "1"], "before\n");
  const { child, output, exit } = await start("tail", topic, "-f");
  try {
    await until("the record before", () => output.stdout.includes("before"));
    await millrace(["produce", topic], "after\n");
    await until("the record after", () => output.stdout.includes("after"));
  } finally {
    child.kill("SIGINT");
  }
  assert.equal(await exit, 0);
  assert.deepEqual(lines(output.stdout), ["before", "after"]);
});

test("simulate writes the same records for the same seed", async () => {
  const values: string[] = [];
  for (const seed of ["7", "7", "8"]) {
    const topic = uniqueName("simulated");
    const run = await millrace([
      "simulate",
      "phone",
      "--topic",
      topic,
      "--create",
      "1",
      "--count",
      "500",
      "--seed",
      seed,
    ]);
    assert.equal(run.code, 0, run.stderr);
    values.push((await millrace(["tail", topic, "-n", "500", "--key"])).stdout);
  }
  assert.equal(values[0], values[1]);
  assert.notEqual(values[0], values[2]);
  const [key, value] = lines(values[0]!)[0]!.split("\t");
  const { device, ...fields } = JSON.parse(value!);
  assert.equal(device, key);
  assert.deepEqual(Object.keys(fields), ["timestamp", "gForceX", "gForceY", "gForceZ"]);
});

for (const [what, args, code, stderr] of [
  ["a missing topic fails", ["tail", "no-such-topic-here"], 1, /no topic "no-such-topic-here"/],
  ["a pattern that is none is wrong usage", ["topics", "("], 2, /Unterminated group/],
  ["a seed that is none is wrong usage", ["simulate", "phone", "--seed", "x"], 2, /whole number/],
  ["a start that is no time is refused", ["simulate", "phone", "--start", "latest"], 2, /--start takes a time/],
  ["a partition that is not there is refused", ["tail", "x", "--partition", "7"], 2, /it has 1: 0 to 0/],
  ["a time that is none is refused", ["tail", "x", "--from", "-10parsecs"], 2, /not a duration/],
  ["an unknown simulation is wrong usage", ["simulate", "boat"], 2, /phone, car, chat/],
] as const)
  test(what, async () => {
    if (args[1] === "x") await millrace(["produce", "x", "--partitions", "1"], "");
    const run = await millrace([...args]);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, stderr);
  });

test("a line that is not JSON is refused with its number", async () => {
  const run = await millrace(
    ["produce", uniqueName("bad"), "--key", "id", "--partitions", "1"],
    '{"id":1}\nnonsense\n',
  );
  assert.equal(run.code, 2);
  assert.match(run.stderr, /standard input, line 2/);
});

test("a key field that is missing is refused with the line", async () => {
  const run = await millrace(["produce", uniqueName("bad"), "--key", "id", "--partitions", "1"], '{"id":1}\n{"x":2}\n');
  assert.equal(run.code, 2);
  assert.match(run.stderr, /has no field "id"[\s\S]*line 2[\s\S]*what to do/);
});

test("a misspelt topic is answered with names like it, for tail and produce", async () => {
  const topic = uniqueName("sensors");
  await millrace(["produce", topic, "--partitions", "1"], "x\n");
  const misspelt = topic.replace("sensors", "sensor");
  for (const command of ["tail", "produce"]) {
    const run = await millrace([command, misspelt], "x\n");
    assert.equal(run.code, 1);
    assert.ok(run.stderr.includes(`did you mean "${topic}"`), run.stderr);
  }
});

test("a broker that is not there: soon one block with the ways out", async () => {
  const begun = Date.now();
  const { output, exit } = startAgainst(`127.0.0.1:${await freePort()}`, "topics");
  assert.equal(await exit, 1);
  assert.ok(Date.now() - begun < 15_000);
  assert.match(output.stderr, /cannot be reached: connect ECONNREFUSED[\s\S]*millrace broker[\s\S]*docker compose/);
  assert.doesNotMatch(output.stderr, /^\s+at /m, "no stack");
});

test("a reader that goes away ends tail cleanly", async () => {
  const topic = uniqueName("piped");
  await millrace(["produce", topic, "--partitions", "1"], `${"a line that fills the pipe\n".repeat(20_000)}`);
  for (const more of [[], ["-f"]]) {
    const { child, output, exit } = await start("tail", topic, "-n", "20000", ...more);
    child.stdout.once("data", () => child.stdout.destroy());
    assert.equal(await exit, 0, output.stderr);
    assert.equal(output.stderr, "");
  }
});

test("slow lines are written as they come, and what was read is written on Ctrl-C", async () => {
  const topic = uniqueName("slow");
  const { child, output, exit } = await start("produce", topic, "--partitions", "1");
  const reader = await until("the topic", async () => {
    const { code } = await millrace(["tail", topic]);
    return code === 0 ? await start("tail", topic, "-f") : undefined;
  });
  child.stdin.write("one\n");
  await until("the first line", () => reader.output.stdout.includes("one"));
  child.stdin.write("two\n");
  await until("the second line", () => reader.output.stdout.includes("two"));
  child.kill("SIGINT");
  reader.child.kill("SIGINT");
  assert.equal(await exit, 0, output.stderr);
  assert.match(output.stderr, /^2 records written/);
  assert.equal(await reader.exit, 0);
});

test("who writes to a topic that is not there is told how to make it", async () => {
  for (const [args, option] of [
    [["produce", uniqueName("none")], "--partitions"],
    [["simulate", "phone", "--topic", uniqueName("none"), "--count", "1"], "--create"],
  ] as const) {
    const { code, stderr } = await millrace([...args], "");
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`There is no topic[\\s\\S]*make it: ${option} 4`));
  }
});
