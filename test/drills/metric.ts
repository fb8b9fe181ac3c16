import { readOwner } from "../../lib/run/job/state-folder.ts";

/** What a running worker's `/metrics` shows under a name, all labels together; undefined while it does not answer, or shows nothing of it. */
export async function metric(stateDir: string, name: string): Promise<number | undefined> {
  try {
    const text = await (await fetch(`${(await readOwner(stateDir))?.url}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))];
    return values.length === 0 ? undefined : values.reduce((sum, [, value]) => sum + Number(value), 0);
  } catch {
    return undefined;
  }
}
