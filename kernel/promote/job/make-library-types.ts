import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { libraryTypesFolder } from "../../language/library-types.ts";
import { unpack } from "./unpack.ts";
import { vendoredMillrace } from "./vendor.ts";

/**
 * Keeps the declarations of `lib/` where the type checker of cells looks for them, unless they are there: those that a job gets. Some seconds, once.
 * @param progress is told at the beginning, where they are still to be made, and as files are done
 */
export async function makeLibraryTypes(progress: (done: number, total?: number) => void = () => {}): Promise<void> {
  const folder = libraryTypesFolder();
  if (existsSync(folder)) return;
  progress(0);
  const { bytes, fileName } = await vendoredMillrace(progress);
  const parent = path.resolve(folder, "../../..");
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(path.join(parent, "making-"));
  try {
    const [archive, unpacked] = [path.join(work, fileName), path.join(work, "node_modules", "millrace")];
    await writeFile(archive, bytes);
    await unpack(archive, unpacked);
    for (const name of await readdir(unpacked, { recursive: true }))
      if (name.endsWith(".js")) await rm(path.join(unpacked, name));
    await rm(archive);
    const digest = path.resolve(folder, "../..");
    await rename(work, digest).catch((error) => {
      if (!existsSync(folder)) throw error; // else another process was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
