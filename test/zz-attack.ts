import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { Cluster } from "../lib/log/index.ts";
import { jobUnderTest, phones, produce } from "./run/job/support.ts";
import { seeded } from "./support/seeded.ts";
import { until } from "./support/until.ts";

const only = process.argv.slice(2);
const want = (x: string) => only.length === 0 || only.includes(x);
const broker = await EmbeddedBroker.start({ heap: 512 });
const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
const show = (what: string, r: any, t0: number) =>
  console.log(
    `=== ${what}: code ${r.code} signal ${r.signal} after ${Math.round(performance.now() - t0)} ms\n${r.stdout.slice(-400)}${r.stderr.split("\n").slice(-12).join("\n")}`,
  );
async function ended(run: any, what: string, ms: number, t0 = performance.now()) {
  const r = await Promise.race([run.ended, new Promise((f) => setTimeout(f, ms))]);
  if (r === undefined) {
    console.log(`=== ${what}: STILL RUNNING after ${ms} ms\n${run.stderr().split("\n").slice(-12).join("\n")}`);
    run.child.kill("SIGKILL");
    await run.ended;
  } else show(what, r, t0);
}
if (want("envs")) {
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "delta" });
  const cases: [string[], Record<string, string>][] = [
    [["--until", "tomorrow"], {}],
    [["--bogus", "1"], {}],
    [["--json=maybe"], {}],
    [["positional"], {}],
    [["--workers", "0"], {}],
    [["--workers"], {}],
    [["--", "x"], {}],
    [["--help"], {}],
    [["-h"], {}],
    [[], { MILLRACE_COMMIT_INTERVAL: "0" }],
    [[], { MILLRACE_COMMIT_INTERVAL: "1 s" }],
    [[], { MILLRACE_GUARANTEE: "maybe" }],
    [[], { MILLRACE_JOB_NAME: "a b" }],
    [[], { MILLRACE_JOB_NAME: "." }],
    [[], { MILLRACE_JOB_NAME: ".." }],
    [[], { PORT: "http" }],
    [[], { PORT: "99999" }],
    [[], { PORT: "80.5" }],
    [[], { MILLRACE_FROM: "yesterday" }],
    [[], { MILLRACE_FROM: "2026-13-45" }],
    [[], { MILLRACE_SESSION_TIMEOUT: "1ms" }],
    [[], { MILLRACE_SESSION_TIMEOUT: "1h" }],
    [[], { MILLRACE_STATE_MEMORY: "lots" }],
    [[], { MILLRACE_STATE_DIR: "/proc/nothing/state" }],
    [[], { MILLRACE_STATE_DIR: "/etc/passwd" }],
    [[], { MILLRACE_STANDBY_REPLICAS: "-1" }],
    [[], { MILLRACE_LOG_FORMAT: "xml" }],
    [[], { KAFKA_BOOTSTRAP_SERVERS: "" }],
    [[], { KAFKA_BOOTSTRAP_SERVERS: "nowhere.invalid:9092" }],
    [[], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1" }],
    [[], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:abc" }],
    [[], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }],
    [[], { KAFKA_SASL_MECHANISM: "PLAIN" }],
    [[], { KAFKA_SASL_USERNAME: "u" }],
    [[], { KAFKA_SASL_MECHANISM: "FOO", KAFKA_SASL_USERNAME: "a", KAFKA_SASL_PASSWORD: "b" }],
    [[], { KAFKA_SSL_CA_FILE: "/no/such" }],
    [[], { KAFKA_SSL_CA: "/no/such.pem" }],
    [["--rebuild", "--reset"], {}],
    [["--reset"], {}],
  ];
  for (const [args, env] of cases) {
    const t0 = performance.now();
    await ended(
      await job.start([...args, ...(args.length === 0 ? ["--until", "end"] : [])], env),
      JSON.stringify([args, env]),
      90_000,
      t0,
    );
  }
}
if (want("broker-term")) {
  for (const guarantee of ["exactly-once", "at-least-once"]) {
    const job = await jobUnderTest(cluster, { partitions: 2, guarantee });
    await produce(cluster, job.input, phones(500, 5, seeded(1)));
    const run = await job.start();
    await until("works", () => run.stderr().split("partition opened").length === 3, 60_000);
    await produce(cluster, job.input, phones(500, 5, seeded(1), 1_700_000_100_000, 500));
    await broker.kill();
    await new Promise((f) => setTimeout(f, 1000));
    const t0 = performance.now();
    run.child.kill("SIGTERM");
    await ended(run, `SIGTERM with the broker dead ${guarantee}`, 200_000, t0);
    await broker.restart();
    console.log(await job.toEnd());
  }
}
if (want("start-term")) {
  for (const delay of [50, 300, 600, 1000, 1500, 2000]) {
    const job = await jobUnderTest(cluster, { partitions: 2 });
    await produce(cluster, job.input, phones(500, 5, seeded(1)));
    const run = await job.start();
    await new Promise((f) => setTimeout(f, delay));
    const t0 = performance.now();
    run.child.kill("SIGTERM");
    await ended(run, `SIGTERM ${delay} ms after the start`, 60_000, t0);
  }
  const job = await jobUnderTest(cluster, { partitions: 2 });
  await broker.kill();
  const run = await job.start();
  await new Promise((f) => setTimeout(f, 2500));
  const t0 = performance.now();
  run.child.kill("SIGTERM");
  await ended(run, `SIGTERM while connecting to a broker that is down`, 60_000, t0);
  await broker.restart();
}
await cluster.close();
await broker.stop();
process.exit();
