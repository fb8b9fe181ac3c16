import { readFileSync } from "node:fs";
import { Refusal } from "../../lib/error.ts";

/** What Jupyter writes for a kernel to bind to. */
export interface ConnectionInfo {
  readonly transport: "tcp" | "ipc";
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  /** Empty: messages are not signed. */
  readonly key: string;
  readonly signature_scheme: string;
}

export type Channel = "shell" | "iopub" | "stdin" | "control" | "hb";

/** @throws Refusal when the file is not a connection file or asks for what this kernel does not speak. */
export function readConnectionFile(file: string): ConnectionInfo {
  const refuse = (what: string, cause?: unknown) =>
    new Refusal({
      code: "CONNECTION_FILE",
      what,
      where: file,
      remedies: ["give the path of a connection file written by Jupyter"],
      cause,
    });
  let info: ConnectionInfo;
  try {
    info = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw refuse(`the connection file cannot be read: ${(error as Error).message}`, error);
  }
  if (!["tcp", "ipc"].includes(info.transport)) throw refuse(`transport "${info.transport}" is not known`);
  if (info.key !== "" && !/^hmac-\w+$/.test(info.signature_scheme))
    throw refuse(`signature scheme "${info.signature_scheme}" is not known`);
  return info;
}

export function endpoint(info: ConnectionInfo, channel: Channel): string {
  const port = info[`${channel}_port`];
  return info.transport === "tcp" ? `tcp://${info.ip}:${port}` : `ipc://${info.ip}-${port}`;
}
