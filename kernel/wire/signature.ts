import { createHmac, timingSafeEqual } from "node:crypto";

/** Signs the four JSON frames of a message, and knows a wrong signature. */
export class Signature {
  readonly #key: string;
  readonly #algorithm: string;

  /** @param scheme `hmac-sha256` and the like */
  constructor(key: string, scheme: string) {
    this.#key = key;
    this.#algorithm = scheme.replace(/^hmac-/, "");
  }

  /** Hexadecimal; empty where messages are not signed. */
  of(frames: readonly Uint8Array[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac(this.#algorithm, this.#key);
    for (const frame of frames) hmac.update(frame);
    return hmac.digest("hex");
  }

  verify(signature: string, frames: readonly Uint8Array[]): boolean {
    if (this.#key === "") return true;
    const expected = Buffer.from(this.of(frames));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
