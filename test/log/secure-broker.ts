import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { EmbeddedBroker, freePort } from "../../kernel/broker/embedded-broker.ts";

const openssl = async (...args: string[]) => void (await promisify(execFile)("openssl", args));

export const PASSWORD = "correct-horse-5f1c";
/** Who the client's certificate says it is, as ACLs name it. */
export const CLIENT = "User:CN=carol";

export interface SecureBroker {
  /** Address of each listener; all but the first want what their names say. */
  readonly plaintext: string;
  readonly ssl: string;
  readonly saslPlaintext: string;
  readonly saslSsl: string;
  /** Wants a certificate of the client: {@link SecureBroker.certificate}. */
  readonly mutual: string;
  /** File of the authority's certificate. */
  readonly caFile: string;
  /** PEM: the authority that signed the broker's certificate, and one that did not. */
  readonly ca: string;
  readonly otherCa: string;
  /** Files of a client's certificate and its key, for {@link CLIENT}; and of one that the broker does not trust. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly otherCertificate: { readonly cert: string; readonly key: string };
}

/**
 * A real broker that speaks TLS and SASL: user `alice` by SCRAM, user `bob` by PLAIN, both with {@link PASSWORD}; {@link CLIENT} by a certificate. What bob
 * and carol may do is a matter of ACLs.
 * Its certificates are made for this run and are good for 127.0.0.1 only. Ends with the test file.
 */
export async function secureBroker(): Promise<SecureBroker> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-certificates-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string) => path.join(folder, name);
  await Promise.all([authority(at("ca")), authority(at("other"))]);
  await signed(at("server"), at("ca"), "broker");
  await Promise.all([signed(at("carol"), at("ca"), "carol"), signed(at("carol-of-other"), at("other"), "carol")]);
  const keystore = at("keystore.pem");
  await writeFile(keystore, `${await readFile(at("server.key"), "utf8")}${await readFile(at("server.pem"), "utf8")}`);

  const [ssl, saslPlaintext, saslSsl, mutual] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const mechanisms = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512";
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="${PASSWORD}";`;
  const broker = await EmbeddedBroker.start({
    listeners: [
      { name: "TLS", protocol: "SSL", port: ssl },
      { name: "SASL", protocol: "SASL_PLAINTEXT", port: saslPlaintext },
      { name: "BOTH", protocol: "SASL_SSL", port: saslSsl },
      { name: "MUTUAL", protocol: "SSL", port: mutual },
    ],
    properties: {
      // who signs in may do what ACLs say; alice, and whoever comes without TLS or SASL, may do everything
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS;User:alice",
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": keystore,
      "listener.name.mutual.ssl.client.auth": "required",
      "listener.name.mutual.ssl.truststore.type": "PEM",
      "listener.name.mutual.ssl.truststore.location": at("ca.pem"),
      "sasl.enabled.mechanisms": mechanisms,
      ...Object.fromEntries(
        ["sasl", "both"].flatMap((name) => [
          [`listener.name.${name}.plain.sasl.jaas.config`, plain],
          [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
          [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
        ]),
      ),
    },
    format: ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=alice,password=${PASSWORD}]`,
    ]),
  });
  after(() => broker.stop());
  return {
    plaintext: broker.bootstrapServers,
    ssl: `127.0.0.1:${ssl}`,
    saslPlaintext: `127.0.0.1:${saslPlaintext}`,
    saslSsl: `127.0.0.1:${saslSsl}`,
    mutual: `127.0.0.1:${mutual}`,
    caFile: at("ca.pem"),
    ca: await readFile(at("ca.pem"), "utf8"),
    otherCa: await readFile(at("other.pem"), "utf8"),
    certificate: { cert: at("carol.pem"), key: at("carol.key") },
    otherCertificate: { cert: at("carol-of-other.pem"), key: at("carol-of-other.key") },
  };
}

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

async function authority(stem: string): Promise<void> {
  const subject = `/CN=Millrace test authority ${path.basename(stem)}`;
  await openssl(
    "req",
    "-x509",
    ...EC_KEY,
    "-days",
    "2",
    "-subj",
    subject,
    "-keyout",
    `${stem}.key`,
    "-out",
    `${stem}.pem`,
  );
}

let serial = 1;

async function signed(stem: string, ca: string, name: string): Promise<void> {
  await openssl("req", ...EC_KEY, "-subj", `/CN=${name}`, "-keyout", `${stem}.key`, "-out", `${stem}.csr`);
  await writeFile(`${stem}.ext`, "subjectAltName=IP:127.0.0.1\n");
  const signer = ["-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-set_serial", String(serial++), "-days", "2"];
  await openssl("x509", "-req", "-in", `${stem}.csr`, ...signer, "-extfile", `${stem}.ext`, "-out", `${stem}.pem`);
}
