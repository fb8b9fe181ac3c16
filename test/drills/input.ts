import type { Cluster } from "../../lib/log/index.ts";
import { besideOf, type JobUnderTest, phones, produce } from "../run/job/support.ts";

const START = 1_700_000_000_000;
/** So many that every partition of a drill's job has some. */
const PHONES = 23;

/** Writes a job's input in slices, so that batches, checkpoints and faults fall anywhere; times go on from slice to slice. */
export class DrillInput {
  readonly #cluster: Cluster;
  readonly #job: JobUnderTest;
  readonly #random: () => number;
  #start = START;
  #records = 0;

  private constructor(cluster: Cluster, job: JobUnderTest, random: () => number) {
    this.#cluster = cluster;
    this.#job = job;
    this.#random = random;
  }

  /** The models of phones are known before the first of their readings. */
  static async open(cluster: Cluster, job: JobUnderTest, random: () => number): Promise<DrillInput> {
    const models = Array.from({ length: PHONES - 3 }, (_, i) => ({
      key: `phone-${i}`,
      text: `{"model":"model ${i % 4}"}`,
    }));
    if (besideOf(job.plans).includes("models")) await produce(cluster, `${job.input}-models`, models, START - 1000);
    return new DrillInput(cluster, job, random);
  }

  async write(records: number, slices = 10): Promise<void> {
    const size = Math.ceil(records / slices);
    for (let slice = 0; slice < slices; slice++) {
      // of today: a broker that starts again forgets producers whose last record is a day old, and takes what they repeat as new
      const write = (topic: string, start = this.#start) =>
        produce(this.#cluster, topic, phones(size, PHONES, this.#random, start, this.#records), Date.now());
      const other = besideOf(this.#job.plans).includes("other") ? `${this.#job.input}-other` : undefined;
      // where it must not go ahead in any partition (see `all` in `plans.ts`), two readings behind and written after
      const behind = this.#job.plans.some((plan) => plan.includes("anew"));
      if (other !== undefined && !behind && slice % 2 === 0) await write(other);
      await write(this.#job.input);
      if (other !== undefined && behind) await write(other, this.#start - 40);
      else if (other !== undefined && slice % 2 === 1) await write(other);
      // the phones' readings are 20 ms apart; what is expected knows no late rows, so a slice begins after all earlier ones, after a pause that ends
      // sessions, and no 20 ms lie in two windows
      this.#start += Math.ceil(size / PHONES) * 20 + 260;
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
