import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";

export const PROTOCOL_VERSION = "5.5";

/** https://jupyter-client.readthedocs.io/en/stable/messaging.html#message-header */
export interface Header {
  readonly msg_id: string;
  readonly session: string;
  readonly username: string;
  /** ISO 8601. */
  readonly date: string;
  readonly msg_type: string;
  readonly version: string;
  readonly subshell_id?: string | null;
}

export interface Message<Content = Record<string, unknown>> {
  /** Routing identities of ROUTER sockets; the topic on iopub. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  /** Empty for a message that answers none. */
  readonly parent: Header | Record<string, never>;
  readonly metadata: Record<string, unknown>;
  readonly content: Content;
  readonly buffers: readonly Uint8Array[];
}

export function newHeader(type: string, session: string): Header {
  const date = new Date().toISOString();
  return { msg_id: randomUUID(), session, username: user(), date, msg_type: type, version: PROTOCOL_VERSION };
}

let known: string | undefined;

function user(): string {
  try {
    known ??= userInfo().username;
  } catch {
    known = "kernel"; // a container's user id without an entry in the user database
  }
  return known;
}
