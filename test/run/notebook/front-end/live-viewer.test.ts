// What a table or chart on a screen is sent, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromIPC } from "@uwdata/flechette";
import type { LiveFrame } from "../../../../lib/frame/driver.ts";
import { topic } from "../../../../lib/index.ts";
import { Producer } from "../../../../lib/log/index.ts";
import type { Channel } from "../../../../lib/run/host.ts";
import { ChartViewer } from "../../../../lib/run/notebook/front-end/chart-viewer.ts";
import { LiveViewer } from "../../../../lib/run/notebook/front-end/live-viewer.ts";
import type { NotebookLiveFrame } from "../../../../lib/run/notebook/notebook-live-frame.ts";
import { columnsOf } from "../../../log/records.ts";
import { until } from "../../../support/until.ts";
import { readings, testTopics } from "../topics.ts";

const { cluster, create, write } = await testTopics();

/** The other end of a channel: it keeps what it is sent, and tells that it has drawn it at once, or when told to. */
class Screen {
  readonly pictures: { readonly at: number; readonly data: any; readonly rows: Uint8Array | undefined }[] = [];
  say: (message: Record<string, unknown>) => void = () => {};
  close: () => void = () => {};
  readonly channel: Channel;

  constructor(acknowledges = true) {
    this.channel = {
      send: (data, buffers) => {
        this.pictures.push({ at: performance.now(), data, rows: buffers?.[0] });
        if (acknowledges) setImmediate(() => this.say({ do: "shown" }));
      },
      onMessage: (callback) => {
        this.say = callback;
      },
      onClose: (callback) => {
        this.close = callback;
      },
    };
  }

  get last() {
    return this.pictures.at(-1)!;
  }

  /** The shortest time between two pictures, ms. */
  get shortest(): number {
    return Math.min(...this.pictures.slice(1).map(({ at }, i) => at - this.pictures[i]!.at));
  }
}

function look(live: LiveFrame, { channel }: Screen): void {
  const frame = live as NotebookLiveFrame;
  if (frame.chart === undefined) new LiveViewer(frame, channel);
  else new ChartViewer(frame, frame.chart, channel);
}

test("a screen gets the next picture once it has drawn the last, and then the newest; a slow one keeps nobody waiting", async () => {
  const name = await create("screens", 1);
  await write(name, readings(60));
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest", rows: 40 });
  try {
    await until("60 rows are in", () => live.status.rowsOut === 60);
    const [slow, quick] = [new Screen(false), new Screen()];
    for (const screen of [slow, quick]) look(live, screen);
    assert.equal(slow.pictures.length, 1, "the first comes at once");
    assert.deepEqual([slow.last.data.total, slow.last.data.rows, slow.last.data.columns.length], [60, 40, 5]);
    assert.equal(tableFromIPC(slow.last.rows!).numRows, 46, "as many rows as are shown, and some around them");
    for (const total of [70, 80]) {
      await write(name, readings(10, total - 10));
      await until(`${total} rows on the quick screen`, () => quick.last.data.total === total);
      assert.equal(slow.pictures.length, 1);
    }
    slow.say({ do: "shown" });
    await until("the next on the slow one", () => slow.pictures.length === 2);
    assert.equal(slow.last.data.total, 80, "what came in between is not sent any more");
    // what it asks for itself it gets at once
    slow.say({ do: "view", request: 7, view: { from: 3, count: 2, follow: false } });
    assert.deepEqual([slow.pictures.length, slow.last.data.request, slow.last.data.from], [3, 7, 3]);
    slow.say({ do: "shown" });

    slow.close();
    await write(name, readings(10, 80));
    await until("90 rows on the quick screen", () => quick.last.data.total === 90);
    assert.equal(slow.pictures.length, 3, "nothing after it is closed");
    quick.close();
  } finally {
    await live.stop();
  }
});

test("a table is drawn 10 times a second at most and a chart 5 times, or as often as hz says", async () => {
  const name = await create("pace", 1);
  await write(name, readings(1));
  const frame = topic(name, { key: "device", time: "timestamp" });
  const shown = [
    { hz: 10, live: frame.live({ from: "earliest" }) },
    { hz: 2, live: frame.live({ from: "earliest", hz: 2 }) },
    { hz: 5, live: frame.plot({ from: "earliest", y: "gForceX" }) },
    { hz: 10, live: frame.plot({ from: "earliest", y: "gForceX", hz: 10 }) },
    { hz: 10, live: frame.live({ from: "earliest", hz: 1000 }) },
  ];
  const producer = await Producer.create(cluster);
  let n = 1;
  /** Writes, a record at a time, until the screens have seen what is wanted of them; then looks at their pace. */
  const watched = async (some: typeof shown, what: string, enough: (screens: Screen[]) => boolean) => {
    const screens = some.map(({ live }) => {
      const screen = new Screen();
      look(live, screen);
      return screen;
    });
    await until(what, async () => {
      await producer.send(name, 0, columnsOf(readings(1, n++)));
      await producer.flush();
      return enough(screens);
    });
    for (const [i, { hz }] of some.entries()) {
      const { pictures, last, close } = screens[i]!;
      const took = last.at - pictures[0]!.at;
      // paced is when one is begun; here it is seen when it is made, which may be later
      const seen = `${pictures.length} pictures of ${i} in ${took} ms, at ${hz} a second`;
      assert.ok(pictures.length - 3 <= (took * hz) / 1000, seen);
      close();
    }
  };
  try {
    await until("all read", () => shown.every(({ live }) => live.status.rowsOut === 1));
    const pace = "four pictures each, and those of hz: 10 closer to each other than a chart's are otherwise";
    await watched(shown.slice(0, 4), pace, (screens) => {
      const fast = [screens[0]!, screens[3]!].every(({ shortest }) => shortest < 190);
      return fast && screens.every(({ pictures }) => pictures.length >= 4);
    });
    // alone: all who look share what time there is for pictures
    await watched(shown.slice(4), "twelve pictures", ([screen]) => screen!.pictures.length >= 12);
  } finally {
    await producer.close();
    await Promise.all(shown.map(({ live }) => live.stop()));
  }
});
