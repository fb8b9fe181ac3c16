import { Worker } from "node:worker_threads";

/**
 * A schema registry over HTTP, in memory: `POST /subjects/S/versions`, `GET /subjects/S/versions/latest`, `GET /schemas/ids/N`, as Confluent's.
 * In a thread of its own, since the client under test blocks its thread while it asks.
 */
export async function startSchemaRegistry(): Promise<{ url: string; stop(): Promise<void> }> {
  const worker = new Worker(SERVER, { eval: true });
  const url = await new Promise<string>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return { url, stop: async () => void (await worker.terminate()) };
}

const SERVER = `
const http = require("node:http");
const { parentPort } = require("node:worker_threads");
const schemas = [];
const latest = new Map();
const server = http.createServer(async (request, answer) => {
  const say = (status, body) => answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  let text = "";
  for await (const part of request) text += part;
  const [, subject, newest] = /^\\/subjects\\/([^/]+)\\/versions(\\/latest)?$/.exec(request.url) ?? [];
  if (newest !== undefined) {
    const id = latest.get(subject);
    return id === undefined ? say(404, { error_code: 40401, message: "Subject not found" }) : say(200, { id, ...schemas[id - 1] });
  }
  if (request.method === "POST" && subject !== undefined) {
    const { schema, schemaType } = JSON.parse(text);
    if (schema.includes("forbidden")) return say(409, { error_code: 409, message: "incompatible" });
    let id = schemas.findIndex((one) => one.schema === schema) + 1;
    if (id === 0) id = schemas.push({ schema, ...(schemaType && schemaType !== "AVRO" && { schemaType }) });
    latest.set(subject, id);
    return say(200, { id });
  }
  const id = /^\\/schemas\\/ids\\/(\\d+)$/.exec(request.url)?.[1];
  const found = id && schemas[id - 1];
  return found ? say(200, found) : say(404, { error_code: 40403, message: "Schema not found" });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage("http://127.0.0.1:" + server.address().port));
`;
