import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface Times {
  self: number;
  total: number;
}

/**
 * `node bench/main.ts profile FILE.cpuprofile [--top 30]`: where the main thread's time went, by function, as milliseconds. Native calls
 * (Polars, sockets) stand under their own names, or in the function that made them; what runs in native threads is not seen.
 */
export async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { top: { type: "string", default: "30" } },
  });
  for (const file of positionals) {
    const profile = JSON.parse(await readFile(file, "utf8")) as CpuProfile;
    console.log(`${file}\n${report(profile, Number(values.top))}\n`);
  }
}

function report(profile: CpuProfile, top: number): string {
  const times = timesByFunction(profile);
  const sum = profile.timeDeltas.reduce((a, b) => a + b, 0);
  const table = (title: string, of: (times: Times) => number) => {
    const rows = [...times].sort(([, a], [, b]) => of(b) - of(a)).slice(0, top);
    const lines = rows.map(([name, time]) => {
      const share = ((100 * of(time)) / sum).toFixed(1);
      return `${(of(time) / 1000).toFixed(0).padStart(8)} ${share.padStart(5)}%  ${name}`;
    });
    return `  ${title}\n${lines.join("\n")}`;
  };
  return [
    `  ${(sum / 1e6).toFixed(2)} s`,
    table("self, ms", ({ self }) => self),
    table("with what it called, ms", ({ total }) => total),
  ].join("\n");
}

/** Time of each function, microseconds; recursion counts once. */
function timesByFunction({ nodes, samples, timeDeltas }: CpuProfile): Map<string, Times> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map<number, number>();
  for (const { id, children } of nodes) for (const child of children ?? []) parent.set(child, id);
  const self = new Map<number, number>();
  for (const [i, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + timeDeltas[i]!);
  const times = new Map<string, Times>();
  const entry = (name: string) => {
    const time = times.get(name) ?? { self: 0, total: 0 };
    times.set(name, time);
    return time;
  };
  for (const [id, micros] of self) {
    entry(label(byId.get(id)!.callFrame)).self += micros;
    const counted = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parent.get(at)) {
      const name = label(byId.get(at)!.callFrame);
      if (!counted.has(name)) entry(name).total += micros;
      counted.add(name);
    }
  }
  return times;
}

function label({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const file = url.replace(/^file:\/\//, "").replace(/^.*\/node_modules\/(?!.*\/node_modules\/)/, "");
  return `${functionName || "(anonymous)"}${file && `  ${file}:${lineNumber + 1}`}`;
}
