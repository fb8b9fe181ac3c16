import type { Message } from "../messages/header.ts";
import type { Signature } from "./signature.ts";

const DELIMITER = Buffer.from("<IDS|MSG>");

/**
 * A message on the wire:
 *
 *     identities… <IDS|MSG> signature header parent_header metadata content buffers…
 */
export function toFrames(
  { identities, header, parent, metadata, content, buffers }: Message<unknown>,
  signature: Signature,
): Uint8Array[] {
  const json = [header, parent, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
  return [...identities, DELIMITER, Buffer.from(signature.of(json)), ...json, ...buffers];
}

/** Undefined for what is no message or carries a wrong signature: it is dropped. */
export function fromFrames(frames: readonly Uint8Array[], signature: Signature): Message | undefined {
  const delimiter = frames.findIndex((frame) => DELIMITER.equals(frame));
  if (delimiter === -1 || frames.length < delimiter + 6) return undefined;
  const [signed, ...rest] = frames.slice(delimiter + 1);
  const json = rest.slice(0, 4);
  if (!signature.verify(Buffer.from(signed!).toString("latin1"), json)) return undefined;
  try {
    const [header, parent, metadata, content] = json.map((frame) => JSON.parse(Buffer.from(frame).toString("utf8")));
    if (typeof header?.msg_type !== "string") return undefined;
    return {
      identities: frames.slice(0, delimiter),
      header,
      parent: object(parent),
      metadata: object(metadata),
      content: object(content),
      buffers: rest.slice(4),
    };
  } catch {
    return undefined;
  }
}

/** Some clients send null for what is empty. */
const object = (part: unknown) =>
  (typeof part === "object" && part !== null && !Array.isArray(part) ? part : {}) as any;
