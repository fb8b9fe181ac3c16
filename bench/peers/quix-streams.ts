import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { cacheFolder, runTool } from "../../kernel/broker/jars.ts";
import type { Peer } from "../side-by-side/peer.ts";

const source = path.join(import.meta.dirname, "quix-streams");
const requirements = path.join(source, "requirements.txt");
const venv = path.join(cacheFolder(), "bench-quix-streams");
const python = path.join(venv, "bin", "python");

/** Quix Streams, one process (it knows no threads), in a Python environment of its own in the cache folder. */
export const quixStreams: Peer = {
  name: "quix-streams",
  title: "Quix Streams 3.28.1, 1 process",
  async prepare(progress) {
    const stamp = path.join(venv, "requirements.txt");
    const wanted = await readFile(requirements, "utf8");
    if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
    progress("making a Python environment with Quix Streams (once) …");
    await rm(venv, { recursive: true, force: true });
    await runTool("python3", ["-m", "venv", venv], "install Python 3.10 or newer with its venv module");
    await runTool(
      python,
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
      "check the connection to the Python package index",
    );
    await writeFile(stamp, wanted);
  },
  command: (run) => ({
    command: python,
    args: [path.join(source, "job.py")],
    env: {
      KAFKA_BOOTSTRAP_SERVERS: run.servers,
      GROUP: run.id,
      WORKLOAD: run.workload,
      INPUT: run.input,
      OUTPUT: run.output,
      COUNT: String(run.count),
      GUARANTEE: run.guarantee,
      COMMIT_INTERVAL_S: String(run.commitInterval / 1000),
      STATE_DIR: run.stateDir,
    },
  }),
};
