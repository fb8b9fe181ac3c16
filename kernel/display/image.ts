import type { MimeBundle } from "../../lib/run/host.ts";

/** The first bytes of the formats that browsers show. */
const SIGNATURES: readonly (readonly [string, readonly number[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
];

/** A picture when the bytes are one. */
export function imageBundle(bytes: Uint8Array): MimeBundle | undefined {
  const found = SIGNATURES.find(([, signature]) => signature.every((byte, at) => bytes[at] === byte));
  if (found !== undefined)
    return { [found[0]]: Buffer.from(bytes).toString("base64"), "text/plain": `${found[0]}, ${bytes.length} bytes` };
  if (/^RIFF[\s\S]{4}WEBP/.test(Buffer.from(bytes.subarray(0, 12)).toString("latin1")))
    return { "image/webp": Buffer.from(bytes).toString("base64"), "text/plain": `image/webp, ${bytes.length} bytes` };
  const start = Buffer.from(bytes.subarray(0, 512)).toString("utf8").trimStart();
  if (!/^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)?<svg[\s/>]/.test(start)) return undefined;
  return { "image/svg+xml": Buffer.from(bytes).toString("utf8"), "text/plain": `image/svg+xml, ${bytes.length} bytes` };
}
