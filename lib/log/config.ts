import { readFileSync } from "node:fs";
import { Refusal } from "../error.ts";

export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";

export interface KafkaConfig {
  /** `host:port`, several separated by commas. */
  readonly bootstrapServers: string;
  /** Shown in the broker's logs and quotas; `millrace` by default. */
  readonly clientId?: string;
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string };
  /** TLS when present, even if empty: then the system's authorities are trusted. PEM texts. */
  readonly ssl?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly passphrase?: string;
    /** Accept any certificate: for tests only. */
    readonly rejectUnauthorized?: boolean;
    /** The name the certificate must carry, where it is not the broker's host. */
    readonly serverName?: string;
  };
  /** How long a broker may take to accept a connection, ms; 5000 by default. */
  readonly connectTimeout?: number;
  /** How long a broker may take to answer, ms; 30000 by default. */
  readonly requestTimeout?: number;
}

const MECHANISMS: readonly string[] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
const PROTOCOLS = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/**
 * The connection as the environment describes it: `KAFKA_BOOTSTRAP_SERVERS` (default `localhost:9092`), `KAFKA_CLIENT_ID`,
 * `KAFKA_SECURITY_PROTOCOL` (`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`; derived when absent), `KAFKA_SASL_MECHANISM`,
 * `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD`, `KAFKA_SSL_CA`, `KAFKA_SSL_CERT`, `KAFKA_SSL_KEY` (PEM texts or paths of PEM files),
 * `KAFKA_SSL_PASSPHRASE`, `KAFKA_SSL_SERVER_NAME`, `KAFKA_SSL_VERIFY` (`false`: accept any certificate), `KAFKA_CONNECT_TIMEOUT_MS`,
 * `KAFKA_REQUEST_TIMEOUT_MS`. Each may be given as `NAME_FILE`, the path of a file that holds it (mounted secrets).
 *
 * @throws {Refusal} `BAD_KAFKA_SETTING` for a value that makes no sense
 */
export function kafkaConfigFromEnv(env: Readonly<Record<string, string | undefined>> = process.env): KafkaConfig {
  const read = (name: string) => fromEnvironment(name, env);
  const pem = (name: string) => {
    const value = read(name);
    return value === undefined || value.includes("-----BEGIN") ? value : fileValue(name, value);
  };
  const protocol = read("KAFKA_SECURITY_PROTOCOL")?.toUpperCase();
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    throw bad("KAFKA_SECURITY_PROTOCOL", protocol, `use one of ${PROTOCOLS.join(", ")}`);

  const username = read("KAFKA_SASL_USERNAME");
  const wantsSasl = protocol?.startsWith("SASL_") ?? username !== undefined;
  let sasl: KafkaConfig["sasl"];
  if (wantsSasl) {
    const mechanism = (read("KAFKA_SASL_MECHANISM") ?? "PLAIN").toUpperCase();
    if (!MECHANISMS.includes(mechanism))
      throw bad("KAFKA_SASL_MECHANISM", mechanism, `use one of ${MECHANISMS.join(", ")}`);
    const password = read("KAFKA_SASL_PASSWORD");
    if (username === undefined || password === undefined)
      throw bad(
        username === undefined ? "KAFKA_SASL_USERNAME" : "KAFKA_SASL_PASSWORD",
        "",
        "set it, or NAME_FILE with its path",
      );
    sasl = { mechanism: mechanism as SaslMechanism, username, password };
  }

  const ca = pem("KAFKA_SSL_CA");
  const cert = pem("KAFKA_SSL_CERT");
  const key = pem("KAFKA_SSL_KEY");
  const passphrase = read("KAFKA_SSL_PASSPHRASE");
  const serverName = read("KAFKA_SSL_SERVER_NAME");
  const verify = read("KAFKA_SSL_VERIFY");
  const wantsSsl = protocol?.endsWith("SSL") ?? (ca ?? cert) !== undefined;
  const ssl = wantsSsl
    ? {
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        ...(passphrase && { passphrase }),
        ...(serverName && { serverName }),
        ...(verify === "false" && { rejectUnauthorized: false }),
      }
    : undefined;

  const clientId = read("KAFKA_CLIENT_ID");
  const connectTimeout = milliseconds("KAFKA_CONNECT_TIMEOUT_MS", read("KAFKA_CONNECT_TIMEOUT_MS"));
  const requestTimeout = milliseconds("KAFKA_REQUEST_TIMEOUT_MS", read("KAFKA_REQUEST_TIMEOUT_MS"));
  return {
    bootstrapServers: read("KAFKA_BOOTSTRAP_SERVERS") ?? "localhost:9092",
    ...(clientId && { clientId }),
    ...(sasl && { sasl }),
    ...(ssl && { ssl }),
    ...(connectTimeout && { connectTimeout }),
    ...(requestTimeout && { requestTimeout }),
  };
}

/** A value that may be a secret: of the variable, or of the file that `NAME_FILE` names (mounted secrets). @throws {Refusal} `BAD_KAFKA_SETTING` */
export function fromEnvironment(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return env[name] || fileValue(`${name}_FILE`, env[`${name}_FILE`]);
}

function fileValue(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new Refusal({
      code: "BAD_KAFKA_SETTING",
      // what is no path may be a key
      what: `${name} names a file that cannot be read${path.length < 200 ? `: ${path}` : ""}`,
      remedies: ["check the path and its permissions"],
      cause,
    });
  }
}

function milliseconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw bad(name, text, "give a number of milliseconds above 0");
  return value;
}

function bad(name: string, value: string, remedy: string): Refusal {
  const what = value === "" ? `${name} is missing.` : `${name} is "${value}", which makes no sense.`;
  return new Refusal({ code: "BAD_KAFKA_SETTING", what, where: "environment", remedies: [remedy] });
}
