import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { MillraceError, Refusal } from "../../error.ts";
import { fromEnvironment } from "../../log/config.ts";

export interface RegistryRequest {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RegistryAnswer {
  /** 0 when no answer came; then the text says why. */
  readonly status: number;
  readonly text: string;
}

export interface RegisteredSchema {
  readonly type: "AVRO" | "PROTOBUF" | "JSON";
  readonly text: string;
  /** Schemas that this one imports. */
  readonly references: number;
}

const TIMEOUT = 5000;

/**
 * A client of a Confluent schema registry (`SCHEMA_REGISTRY_URL`; `http://user:password@host:8081` signs in). Schemas have an id and never change, so
 * each is asked for once, by a thread of its own while this one waits: decoding stays a plain function, and the wait (a few ms, 5 s at most) comes
 * once per schema.
 */
export class Registry {
  readonly #url: string;
  readonly #headers: Record<string, string> = { "content-type": "application/vnd.schemaregistry.v1+json" };
  readonly #schemas = new Map<number, RegisteredSchema | undefined>();
  readonly #ids = new Map<string, number>();
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  #port: MessagePort | undefined;

  constructor(url: string) {
    const parsed = new URL(url);
    if (parsed.username !== "") {
      const user = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
      this.#headers.authorization = `Basic ${Buffer.from(user).toString("base64")}`;
      parsed.username = "";
      parsed.password = "";
    }
    this.#url = parsed.href.replace(/\/$/, "");
  }

  /** Undefined when the registry has no schema of this id. @throws MillraceError `REGISTRY_UNREACHABLE` */
  schema(id: number): RegisteredSchema | undefined {
    if (this.#schemas.has(id)) return this.#schemas.get(id);
    const answer = this.#ask("GET", `/schemas/ids/${id}`);
    if (answer.status === 404) return undefined; // not kept: it may be registered later
    if (answer.status !== 200) throw this.#unreachable(answer, `asking for schema ${id}`);
    const found = registeredSchema(answer.text);
    this.#schemas.set(id, found);
    return found;
  }

  /** The newest schema of a subject; undefined when the registry has none. @throws MillraceError `REGISTRY_UNREACHABLE` */
  latest(subject: string): RegisteredSchema | undefined {
    const answer = this.#ask("GET", `/subjects/${encodeURIComponent(subject)}/versions/latest`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#unreachable(answer, `asking for the newest schema of subject "${subject}"`);
    return registeredSchema(answer.text);
  }

  /**
   * The id of a schema under a subject; registers it where it is new.
   * @throws Refusal `SCHEMA_REFUSED` when the registry does not take it, as where it breaks compatibility
   */
  register(subject: string, type: "AVRO" | "PROTOBUF", schema: string): number {
    const key = `${subject} ${schema}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      const body = JSON.stringify({ schema, ...(type !== "AVRO" && { schemaType: type }) });
      const answer = this.#ask("POST", `/subjects/${encodeURIComponent(subject)}/versions`, body);
      if (answer.status === 409 || answer.status === 422)
        throw new Refusal({
          code: "SCHEMA_REFUSED",
          what: `the schema registry does not take the schema of the rows as subject "${subject}": ${answer.text.slice(0, 300)}`,
          where: this.#url,
          remedies: ["keep the columns and dtypes that were written before, or write to another topic"],
        });
      if (answer.status !== 200) throw this.#unreachable(answer, `registering subject "${subject}"`);
      id = (JSON.parse(answer.text) as { id: number }).id;
      this.#ids.set(key, id);
    }
    return id;
  }

  #ask(method: "GET" | "POST", path: string, body?: string): RegistryAnswer {
    const port = this.#connected();
    Atomics.store(this.#flag, 0, 0);
    const request: RegistryRequest = { url: this.#url + path, method, headers: this.#headers, ...(body && { body }) };
    port.postMessage(request);
    Atomics.wait(this.#flag, 0, 0, TIMEOUT + 5000);
    const answer = receiveMessageOnPort(port) as { message: RegistryAnswer } | undefined;
    if (answer !== undefined) return answer.message;
    void this.#worker?.terminate(); // a late answer must not be taken for the next
    this.#worker = undefined;
    return { status: 0, text: "no answer" };
  }

  #connected(): MessagePort {
    if (this.#worker === undefined || this.#port === undefined) {
      const file = new URL(
        import.meta.url.endsWith(".ts") ? "./registry-worker.ts" : "./registry-worker.js",
        import.meta.url,
      );
      const { port1, port2 } = new MessageChannel();
      this.#worker = new Worker(file, {
        workerData: { signal: this.#flag.buffer, timeout: TIMEOUT, port: port2 },
        transferList: [port2],
        execArgv: [],
      });
      this.#worker.unref();
      port1.unref();
      this.#port = port1;
    }
    return this.#port;
  }

  #unreachable({ status, text }: RegistryAnswer, doing: string): MillraceError {
    return new MillraceError({
      code: "REGISTRY_UNREACHABLE",
      what: `${doing}: the schema registry ${status === 0 ? "did not answer" : `answered ${status}`}: ${text.slice(0, 300)}`,
      where: this.#url,
      remedies: ["check SCHEMA_REGISTRY_URL, and that the registry runs"],
    });
  }
}

function registeredSchema(answer: string): RegisteredSchema {
  const { schema, schemaType, references } = JSON.parse(answer) as Record<string, unknown>;
  return {
    type: (schemaType ?? "AVRO") as RegisteredSchema["type"],
    text: schema as string,
    references: (references as unknown[] | undefined)?.length ?? 0,
  };
}

let registry: { readonly url: string; readonly client: Registry } | undefined;

/** The registry that the environment names. @throws Refusal `NO_REGISTRY` */
export function registryOf(format: string): Registry {
  const url = fromEnvironment("SCHEMA_REGISTRY_URL"); // it may hold a password
  if (url === undefined || url === "" || !URL.canParse(url))
    throw new Refusal({
      code: "NO_REGISTRY",
      what: url ? "SCHEMA_REGISTRY_URL is not a URL" : `the format "${format}" needs a schema registry`,
      remedies: ["set SCHEMA_REGISTRY_URL, for example http://127.0.0.1:8081"],
    });
  if (registry?.url !== url) registry = { url, client: new Registry(url) };
  return registry.client;
}
