import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Refusal } from "../../lib/error.ts";
import { kafkaConfigFromEnv } from "../../lib/log/index.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";

for (const [what, env, expected] of [
  ["nothing: a broker on this machine", {}, { bootstrapServers: "localhost:9092" }],
  ["the servers", { KAFKA_BOOTSTRAP_SERVERS: "a:1,b:2" }, { bootstrapServers: "a:1,b:2" }],
  [
    "a user name means SASL, PLAIN unless said otherwise",
    { KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p" },
    { bootstrapServers: "localhost:9092", sasl: { mechanism: "PLAIN", username: "u", password: "p" } },
  ],
  [
    "SCRAM over TLS",
    {
      KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
      KAFKA_SASL_MECHANISM: "scram-sha-512",
      KAFKA_SASL_USERNAME: "u",
      KAFKA_SASL_PASSWORD: "p",
    },
    { bootstrapServers: "localhost:9092", sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" }, ssl: {} },
  ],
  ["an authority means TLS", { KAFKA_SSL_CA: PEM }, { bootstrapServers: "localhost:9092", ssl: { ca: PEM } }],
  [
    "plaintext wins over leftovers",
    { KAFKA_SECURITY_PROTOCOL: "PLAINTEXT", KAFKA_SSL_CA: PEM, KAFKA_SASL_USERNAME: "u" },
    { bootstrapServers: "localhost:9092" },
  ],
] as const)
  test(`from the environment: ${what}`, () => assert.deepEqual(kafkaConfigFromEnv(env), expected));

test("secrets and PEM texts come from files as well", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-config-"));
  try {
    const secret = path.join(folder, "secret");
    const pem = path.join(folder, "ca.pem");
    await writeFile(secret, "hush\n");
    await writeFile(pem, PEM);
    const { sasl, ssl } = kafkaConfigFromEnv({
      KAFKA_SASL_USERNAME: "u",
      KAFKA_SASL_PASSWORD_FILE: secret,
      KAFKA_SSL_CA: pem,
    });
    assert.deepEqual([sasl?.password, ssl?.ca], ["hush", PEM]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const env of [
  { KAFKA_SECURITY_PROTOCOL: "TLS" },
  { KAFKA_SASL_USERNAME: "u" },
  { KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p", KAFKA_SASL_MECHANISM: "GSSAPI" },
  { KAFKA_SASL_PASSWORD_FILE: "/no/such/file", KAFKA_SASL_USERNAME: "u" },
  { KAFKA_REQUEST_TIMEOUT_MS: "soon" },
])
  test(`refused: ${JSON.stringify(env)}`, () =>
    assert.throws(
      () => kafkaConfigFromEnv(env),
      (error) => error instanceof Refusal && error.code === "BAD_KAFKA_SETTING",
    ));
