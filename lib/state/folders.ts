import { mkdir, stat } from "node:fs/promises";
import path from "node:path";

/** With the folders above it. Node's own way of that tries for ever where a folder is there and takes no other, as in /proc or through a link to nothing. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return void (await stat(folder)); // a link may lead to nothing
    const above = path.dirname(folder);
    if (code !== "ENOENT" || above === folder || (await isThere(above))) throw error;
    await makeFolder(above);
    await makeFolder(folder);
  }
}

export const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
