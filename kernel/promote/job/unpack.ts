import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";

/** Unpacks a package that `tarball` made (`package/…`) into a folder. Throws on anything that is not such an archive. */
export async function unpack(archive: string, folder: string): Promise<void> {
  const bytes = gunzipSync(await readFile(archive));
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const text = (start: number, length: number) =>
      bytes.toString("utf8", at + start, at + start + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    const file = path.resolve(folder, path.relative("package", text(0, 100)));
    if (Number.isNaN(size) || !file.startsWith(path.resolve(folder) + path.sep))
      throw new RangeError(`${archive} is not a package that promote made`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
