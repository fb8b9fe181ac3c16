import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { inspect } from "node:util";
import { MillraceError } from "../../lib/error.ts";
import { Cluster, committedOffsets, Fetcher, GroupMember, type KafkaConfig, Producer } from "../../lib/log/index.ts";
import { uniqueName } from "../support/broker.ts";
import { columnsOf, numbered } from "./records.ts";
import { PASSWORD, secureBroker } from "./secure-broker.ts";
import { newTopic, read } from "./with-cluster.ts";

const broker = await secureBroker();
const { ca, otherCa } = broker;
const alice = (mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512", password = PASSWORD) =>
  ({ mechanism, username: "alice", password }) as const;
const pems = async ({ cert, key }: { cert: string; key: string }) => ({
  cert: await readFile(cert, "utf8"),
  key: await readFile(key, "utf8"),
});
const carol = await pems(broker.certificate);
const otherCarol = await pems(broker.otherCertificate);
const bob = { mechanism: "PLAIN", username: "bob", password: PASSWORD } as const;

for (const [what, config] of [
  ["TLS", { bootstrapServers: broker.ssl, ssl: { ca } }],
  ["TLS without verification", { bootstrapServers: broker.ssl, ssl: { rejectUnauthorized: false } }],
  ["PLAIN", { bootstrapServers: broker.saslPlaintext, sasl: bob }],
  ["SCRAM-SHA-256", { bootstrapServers: broker.saslPlaintext, sasl: alice("SCRAM-SHA-256") }],
  ["SCRAM-SHA-512", { bootstrapServers: broker.saslPlaintext, sasl: alice("SCRAM-SHA-512") }],
  ["TLS with a certificate of its own", { bootstrapServers: broker.mutual, ssl: { ca, ...carol } }],
  ["PLAIN over TLS", { bootstrapServers: broker.saslSsl, ssl: { ca }, sasl: bob }],
  ["SCRAM-SHA-256 over TLS", { bootstrapServers: broker.saslSsl, ssl: { ca }, sasl: alice("SCRAM-SHA-256") }],
] as const satisfies readonly (readonly [string, KafkaConfig])[])
  test(`connects: ${what}`, async () => {
    const cluster = await Cluster.connect(config);
    await cluster.topics();
    await cluster.close();
  });

test("a group reads, and a transaction writes and commits offsets, over SCRAM-SHA-512 and TLS", async () => {
  const cluster = await Cluster.connect({
    bootstrapServers: broker.saslSsl,
    ssl: { ca },
    sasl: alice("SCRAM-SHA-512"),
  });
  try {
    const [source, target] = [await newTopic(cluster, "source"), await newTopic(cluster, "target")];
    const groupId = uniqueName("secure");
    const producer = await Producer.create(cluster, { transactionalId: uniqueName("secure") });
    producer.begin();
    await producer.send(source, 0, columnsOf(numbered(1000)));
    await producer.commit();

    const member = new GroupMember(cluster, { groupId, topics: [source] });
    await member.join();
    const fetcher = new Fetcher(cluster);
    for (const { topic, partition } of member.assigned()) fetcher.assign(topic, partition, 0);
    const rows = await read(fetcher, 1000);
    fetcher.unassign(source, 0);
    producer.begin();
    await producer.send(target, 0, columnsOf(rows));
    await producer.sendOffsets(groupId, member.generation(), [[{ topic: source, partition: 0 }, 1000]]);
    await producer.commit();

    fetcher.assign(target, 0, 0);
    assert.deepEqual(
      (await read(fetcher, 1000)).map(({ value }) => value),
      numbered(1000).map(({ value }) => value),
    );
    const committed = await committedOffsets(cluster, groupId, [{ topic: source, partition: 0 }]);
    assert.equal(committed.get(source)!.get(0), 1000);
    await member.leave();
    await Promise.all([fetcher.close(), producer.close()]);
  } finally {
    await cluster.close();
  }
});

const WRONG = "wrong-password-91ab";
for (const [what, config, code, message] of [
  [
    "a wrong SCRAM password",
    { bootstrapServers: broker.saslPlaintext, sasl: alice("SCRAM-SHA-256", WRONG) },
    "AUTHENTICATION_FAILED",
    /did not accept the credentials[\s\S]*KAFKA_SASL_PASSWORD/,
  ],
  [
    "a wrong PLAIN password over TLS",
    { bootstrapServers: broker.saslSsl, ssl: { ca }, sasl: { ...bob, password: WRONG } },
    "AUTHENTICATION_FAILED",
    /did not accept the credentials/,
  ],
  [
    "an unknown user",
    { bootstrapServers: broker.saslPlaintext, sasl: { ...alice("SCRAM-SHA-512"), username: "mallory" } },
    "AUTHENTICATION_FAILED",
    /did not accept the credentials/,
  ],
  [
    "credentials for a listener that wants none",
    { bootstrapServers: broker.plaintext, sasl: bob },
    "AUTHENTICATION_FAILED",
    /does not offer this SASL mechanism[\s\S]*KAFKA_SECURITY_PROTOCOL/,
  ],
  [
    "no credentials for a listener that wants some",
    { bootstrapServers: broker.saslPlaintext },
    "AUTHENTICATION_FAILED",
    /asks for credentials[\s\S]*KAFKA_SASL_USERNAME/,
  ],
  [
    "an authority that did not sign the certificate",
    { bootstrapServers: broker.ssl, ssl: { ca: otherCa } },
    "TLS_FAILED",
    /KAFKA_SSL_CA/,
  ],
  ["the system's authorities only", { bootstrapServers: broker.ssl, ssl: {} }, "TLS_FAILED", /KAFKA_SSL_CA/],
  [
    "a certificate of another name",
    { bootstrapServers: broker.ssl, ssl: { ca, serverName: "elsewhere.example" } },
    "TLS_FAILED",
    /elsewhere\.example/,
  ],
  [
    "no certificate for a listener that wants one",
    { bootstrapServers: broker.mutual, ssl: { ca } },
    "TLS_FAILED",
    /wants a certificate[\s\S]*KAFKA_SSL_CERT/,
  ],
  [
    "a certificate that the broker does not trust",
    { bootstrapServers: broker.mutual, ssl: { ca, ...otherCarol } },
    "TLS_FAILED",
    /KAFKA_SSL_CERT/,
  ],
  [
    "plaintext to a TLS listener",
    { bootstrapServers: broker.ssl },
    "TLS_FAILED",
    /requires TLS[\s\S]*KAFKA_SECURITY_PROTOCOL/,
  ],
  [
    "TLS to a plaintext listener",
    { bootstrapServers: broker.plaintext, ssl: { ca } },
    "TLS_FAILED",
    /KAFKA_SECURITY_PROTOCOL/,
  ],
] as const satisfies readonly (readonly [string, KafkaConfig, string, RegExp])[])
  test(`refused, soon and without giving secrets away: ${what}`, async () => {
    const begun = Date.now();
    await assert.rejects(Cluster.connect(config), (error: MillraceError) => {
      assert.ok(error instanceof MillraceError, inspect(error));
      assert.equal(error.code, code, inspect(error));
      assert.match(error.message, message);
      // not in the causes either: they are printed by whoever logs the error
      const whole = inspect(error, { depth: 20, showHidden: true });
      for (const secret of [PASSWORD, WRONG]) {
        assert.ok(!whole.includes(secret));
        assert.ok(!whole.includes(Buffer.from(secret).toString("base64")));
      }
      return true;
    });
    assert.ok(Date.now() - begun < 20_000, `took ${Date.now() - begun} ms`);
  });
