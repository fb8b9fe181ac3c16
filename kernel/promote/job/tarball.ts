import { gzipSync } from "node:zlib";

/**
 * A gzipped ustar archive whose bytes depend on names and contents only: owner 0, mode 644, npm's fixed time, names sorted.
 * Header fields: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, linkname 100, "ustar\0" "00", …, prefix 155 at 345.
 */
export function tarball(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const blocks: Uint8Array[] = [];
  for (const name of [...files.keys()].sort()) {
    const content = files.get(name)!;
    blocks.push(header(name, content.length), content, new Uint8Array((512 - (content.length % 512)) % 512));
  }
  blocks.push(new Uint8Array(1024));
  return gzipSync(Buffer.concat(blocks), { level: 9 });
}

/** 1985-10-26T08:15:00Z, the time npm gives to all files it packs. */
const MTIME = 499162500;

function header(name: string, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a name in the archive is too long: ${name}`);
  const block = Buffer.alloc(512);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(MTIME, 12), 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
