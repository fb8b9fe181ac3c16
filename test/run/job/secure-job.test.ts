import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import test, { after, describe } from "node:test";
import { gunzipSync } from "node:zlib";
import { createAclsV3 } from "@platformatic/kafka";
import { Cluster } from "../../../lib/log/index.ts";
import { CLIENT, PASSWORD, secureBroker } from "../../log/secure-broker.ts";
import { notebookText } from "../../promote/notebooks.ts";
import { millrace } from "../../promote/run-command.ts";
import { uniqueName } from "../../support/broker.ts";
import { seeded } from "../../support/seeded.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { type JobUnderTest, jobUnderTest, phones, produce, readAll, temporaryFolder } from "./support.ts";

const broker = await secureBroker();
const admin = await Cluster.connect({ bootstrapServers: broker.plaintext });
after(() => admin.close());
const passwordFile = path.join(await temporaryFolder(), "password");
await writeFile(passwordFile, `${PASSWORD}\n`);
const connection = { KAFKA_BOOTSTRAP_SERVERS: broker.saslSsl, KAFKA_SASL_USERNAME: "bob", KAFKA_SSL_CA: broker.caFile };
/** Who it is says a certificate instead of a password. */
const mutual = {
  KAFKA_BOOTSTRAP_SERVERS: broker.mutual,
  KAFKA_SSL_CA: broker.caFile,
  KAFKA_SSL_CERT: broker.certificate.cert,
  KAFKA_SSL_KEY: broker.certificate.key,
};
const secrets = { ...connection, KAFKA_SASL_PASSWORD_FILE: passwordFile };

// What `CreateAcls` calls things.
const RESOURCE = { topic: 2, group: 3, transactionalId: 5 } as const;
const PATTERN = { exactly: 3, from: 4 } as const;
const OPERATION = { read: 3, write: 4, create: 5, describe: 8 } as const;

interface Permission {
  readonly on: keyof typeof RESOURCE;
  readonly pattern: keyof typeof PATTERN;
  readonly name: string;
  readonly may: readonly (keyof typeof OPERATION)[];
}

async function permit(
  permissions: readonly Permission[],
  permission: "allow" | "deny" = "allow",
  principal = "User:bob",
): Promise<void> {
  const acls = permissions.flatMap(({ on, pattern, name, may }) =>
    may.map((operation) => ({
      resourceType: RESOURCE[on],
      resourceName: name,
      resourcePatternType: PATTERN[pattern],
      principal,
      host: "*",
      operation: OPERATION[operation],
      permissionType: { allow: 3, deny: 2 }[permission],
    })),
  );
  const broker = await admin.anyBroker();
  await broker.request(createAclsV3.api, acls as never);
}

/** What docs/reliability.md says that a job needs. */
const needs = ({ name, input, output }: JobUnderTest): Permission[] => [
  { on: "topic", pattern: "exactly", name: input, may: ["read"] },
  { on: "topic", pattern: "from", name: output, may: ["create", "write"] },
  { on: "topic", pattern: "from", name: `${name}-`, may: ["create", "read", "write"] },
  { on: "group", pattern: "exactly", name, may: ["read"] },
  { on: "transactionalId", pattern: "from", name: `${name}-`, may: ["write"] },
];

/** Every file of a folder as text, compressed ones as what is in them. */
async function everything(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const texts = files.map(async (file): Promise<[string, string]> => {
    const bytes = await readFile(file);
    return [file, (/\.t?gz$/.test(file) ? gunzipSync(bytes) : bytes).toString("latin1")];
  });
  return new Map(await Promise.all(texts));
}

function assertNoSecret(text: string, where: string): void {
  for (const secret of [
    PASSWORD,
    Buffer.from(PASSWORD).toString("base64"),
    Buffer.from(`\0bob\0${PASSWORD}`).toString("base64"),
  ])
    assert.ok(!text.includes(secret), `the password is in ${where}`);
}

describe("a job over TLS and SASL, as a user with ACLs", () => {
  test("everything is written and accounted for, with nothing more than it needs; secrets are nowhere", {
    timeout: 180_000,
  }, async () => {
    const job = await jobUnderTest(admin, { plans: "delta,windows" });
    await permit(needs(job));
    await produce(admin, job.input, phones(3000, 50, seeded(1)));
    const environment = { ...secrets, MILLRACE_STANDBY_REPLICAS: "1" };
    const { ended } = await job.start(["--until", "end", "--json"], environment);
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    const expected = expectedRows(await readAll(admin, job.input));
    for (const plan of ["delta", "windows"] as const)
      assertSameRows(rowsOf(await readAll(admin, `${job.output}-${plan}`)), expected[plan], plan);
    for (const [where, text] of [
      ["stdout", stdout],
      ["stderr", stderr],
    ] as const)
      assertNoSecret(text, where);
    for (const [file, text] of await everything(job.stateDir)) assertNoSecret(text, file);

    // the same job goes on as another user, by a certificate
    await permit(needs(job), "allow", CLIENT);
    await produce(admin, job.input, phones(500, 50, seeded(3), 1_700_000_010_000, 3000));
    const onward = await (await job.start(["--until", "end", "--json"], mutual)).ended;
    assert.equal(onward.code, 0, onward.stderr);
    assert.equal(JSON.parse(onward.stdout).rowsIn, 500);
    // nothing but the right to look at the changelogs' configuration is missed
    assert.deepEqual(onward.stderr.match(/ warn .*/g), [
      " warn whether changelogs are compacted is not known: the right to describe their configuration is lacking",
    ]);
    assertSameRows(
      rowsOf(await readAll(admin, `${job.output}-delta`)),
      expectedRows(await readAll(admin, job.input)).delta,
      "delta",
    );
    const [key] = (await readFile(broker.certificate.key, "utf8")).split("\n").slice(1);
    for (const [file, text] of [...(await everything(job.stateDir)), ["stderr", onward.stderr] as const])
      assert.ok(!text.includes(key!), `the key is in ${file}`);
  });

  for (const [lacking, denied, expected] of [
    [
      "write to its output",
      ({ output }) => ({ on: "topic", pattern: "from", name: output, may: ["write"] }),
      /TOPIC_AUTHORIZATION_FAILED[\s\S]*-out-delta[\s\S]*\(ACL\)/,
    ],
    [
      "read its source",
      ({ input }) => ({ on: "topic", pattern: "exactly", name: input, may: ["read"] }),
      /TOPIC_AUTHORIZATION_FAILED[\s\S]*-in[\s\S]*\(ACL\)/,
    ],
    [
      "use its group",
      ({ name }) => ({ on: "group", pattern: "exactly", name, may: ["read"] }),
      /GROUP_AUTHORIZATION_FAILED[\s\S]*\(ACL\)/,
    ],
  ] as const satisfies [string, (job: JobUnderTest) => Permission, RegExp][])
    test(`a user who may not ${lacking} is told so, at once`, { timeout: 120_000 }, async () => {
      const job = await jobUnderTest(admin, { plans: "delta" });
      await permit(needs(job));
      await permit([denied(job)], "deny");
      await produce(admin, job.input, phones(100, 5, seeded(1)));
      const { code, stderr } = await (await job.start(["--until", "end"], secrets)).ended;
      assert.ok(code === 1 || code === 2, stderr);
      assert.match(stderr, expected);
      assertNoSecret(stderr, "stderr");
    });

  test("a notebook, its outputs, and what promote makes of it hold no secrets", { timeout: 600_000 }, async () => {
    const folder = await temporaryFolder();
    const source = uniqueName("secret-phones");
    await admin.createTopic(source, { partitions: 2, config: { "retention.ms": "-1" } });
    await produce(admin, source, phones(500, 5, seeded(2)));
    await permit([{ on: "topic", pattern: "exactly", name: source, may: ["read"] }]);
    const notebook = path.join(folder, "phones.ipynb");
    await writeFile(
      notebook,
      notebookText([
        `import { pl, topic } from "millrace";\nconst phone = topic("${source}", { key: "device", time: "timestamp" });\nawait phone.collect()`,
        `const moving = phone.withColumns(pl.col("x").diff(1, "ignore").over("device").alias("delta"));\nmoving.to("${source}-out", { key: "device" })`,
      ]),
    );
    const env = { ...connection, KAFKA_SASL_PASSWORD: PASSWORD };
    for (const command of [
      ["run", notebook],
      ["promote", notebook, "--out", path.join(folder, "made")],
    ]) {
      const { code, stdout, stderr } = await millrace(command, { env, deadline: 280_000 });
      assert.equal(code, 0, stderr);
      assertNoSecret(stdout + stderr, command.join(" "));
    }
    for (const [file, text] of await everything(folder)) assertNoSecret(text, file);
  });
});
