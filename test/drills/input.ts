import type { Cluster } from "../../lib/log/index.ts";
import { phones, produce } from "../run/job/support.ts";

const START = 1_700_000_000_000;

/** Writes a job's input in slices, so that batches, checkpoints and faults fall anywhere; times go on from slice to slice. */
export class DrillInput {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #random: () => number;
  #slices = 0;
  #records = 0;

  constructor(cluster: Cluster, topic: string, random: () => number) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#random = random;
  }

  async write(records: number, slices = 10): Promise<void> {
    const size = Math.ceil(records / slices);
    for (let slice = 0; slice < slices; slice++) {
      // 7 phones, 20 ms apart each: what is expected knows no late rows, so a slice begins after all earlier ones, and no 20 ms lie in two windows
      const start = START + Math.ceil((this.#records * 3) / 20) * 20 + this.#slices++ * 60;
      const rows = phones(size, 7, this.#random, start, this.#records);
      // of today: a broker that starts again forgets producers whose last record is a day old, and takes what they repeat as new
      await produce(this.#cluster, this.#topic, rows, Date.now());
      this.#records += size;
    }
  }

  /** Writes until `done`, a slice at a time. */
  async writeDuring(done: Promise<unknown>, slice = 200): Promise<void> {
    let going = true;
    const ended = done.finally(() => {
      going = false;
    });
    ended.catch(() => {}); // told below
    while (going) {
      await this.write(slice, 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await ended;
  }
}
