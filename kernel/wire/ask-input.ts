import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Interrupted } from "../cells/interrupted.ts";
import type { Header } from "../messages/header.ts";
import type { FromCells, InputResult } from "./bridge.ts";

/** Asks the user for a line through the protocol thread, and blocks this one until it is there, as `prompt` does in a browser. */
export function askInput(server: MessagePort, parent: Header, prompt: string, password: boolean): string {
  const { port1, port2 } = new MessageChannel();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const question: FromCells = { kind: "input", prompt, password, parent, answer: { port: port2, flag } };
  server.postMessage(question, [port2]);
  Atomics.wait(flag, 0, 0);
  const result = receiveMessageOnPort(port1)?.message as InputResult | undefined;
  port1.close();
  if (result === undefined || "interrupted" in result) throw new Interrupted();
  return result.value;
}
