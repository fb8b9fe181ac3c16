import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { jobUnderTest, temporaryFolder, untilOpened } from "../../run/job/support.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";
import { verify } from "../verify.ts";

/** A file system of a few MiB, in memory. Undefined where this user may not mount one. */
export async function smallFileSystem(mebibytes: number): Promise<{ folder: string; unmount(): void } | undefined> {
  const folder = await temporaryFolder();
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]);
  if (mounted.status !== 0) return undefined;
  return { folder, unmount: () => void spawnSync("umount", ["-l", folder]) };
}

/**
 * The disk under the state folder fills up while a job works: it ends with one clear block, having lost nothing, and goes on once there is
 * room again.
 */
export async function diskFullDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const disk = await smallFileSystem(16);
  assert.ok(disk, "mounting a file system needs root");
  try {
    const job = await jobUnderTest(cluster, { guarantee, plans });
    const input = await DrillInput.open(cluster, job, random);
    const environment = { MILLRACE_STATE_DIR: path.join(disk.folder, "state") };
    const run = await job.start([], environment);
    await untilOpened(run);
    await input.write(records, 4);
    const filler = path.join(disk.folder, "filler");
    for (let size = 2 ** 24; size >= 512; size /= 2)
      await writeFile(filler, Buffer.alloc(size), { flag: "a" }).catch(() => {});
    await input.writeDuring(run.ended, Math.ceil(records / 10));
    const { code, stderr } = await run.ended;
    assert.equal(code, 1, stderr);
    assert.match(stderr, /state folder cannot be written[\s\S]*free space[\s\S]*MILLRACE_STATE_DIR/);
    log(`ended with: ${/The state folder[^\n]*/.exec(stderr)?.[0]}`);
    await rm(filler);
    await job.toEnd(environment);
    await verify(cluster, { ...job, stateDir: environment.MILLRACE_STATE_DIR }, guarantee, log, { outsider });
  } finally {
    disk.unmount();
  }
}
