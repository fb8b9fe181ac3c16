import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { type JobRun, run } from "../run/job/support.ts";

export type Worker = JobRun & { readonly url: () => Promise<string | undefined> };

/**
 * A worker as its folder's own Dockerfile would start it, outside a container: what the image would hold (without what `.dockerignore` names), the
 * variables it sets, its command; the volume is a folder and the port a free one.
 */
export async function asContainer(job: string, work: string, env: Readonly<Record<string, string>>): Promise<Worker> {
  const dockerfile = await readFile(path.join(job, "Dockerfile"), "utf8");
  const ignored = (await readFile(path.join(job, ".dockerignore"), "utf8")).split("\n");
  const [app, state] = [path.join(work, "app"), path.join(work, "state")];
  await mkdir(app, { recursive: true });
  await cp(job, app, {
    recursive: true,
    filter: (file) => file === job || !ignored.includes(path.relative(job, file)),
  });
  await symlink(path.join(job, "node_modules"), path.join(app, "node_modules"));
  const set = /^ENV (.*)$/m
    .exec(dockerfile)![1]!
    .split(" ")
    .map((pair) => pair.split("=") as [string, string]);
  const [program, ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  const started = run(
    args,
    { ...Object.fromEntries(set), MILLRACE_STATE_DIR: state, PORT: "0", ...env },
    { cwd: app, program: program! },
  );
  return { ...started, url: () => urlIn(state) };
}

/** A worker by `npm start`, as by a process manager that knows npm alone: signals go to npm. */
export function byNpm(job: string, state: string, env: Readonly<Record<string, string>>): Worker {
  const started = run(["start", "--silent"], { MILLRACE_STATE_DIR: state, ...env }, { cwd: job, program: "npm" });
  return { ...started, url: () => urlIn(state) };
}

async function urlIn(state: string): Promise<string | undefined> {
  const owner = await readFile(path.join(state, "owner.json"), "utf8").catch(() => "{}");
  return (JSON.parse(owner) as { url?: string }).url;
}
