import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "../../../lib/run/notebook/rate.ts";
import { sparklineHtml, sparklinePoints } from "../../../lib/run/notebook/sparkline.ts";

/** A rate whose clock is moved by hand. */
function rate() {
  let now = 5000;
  const made = new Rate(() => now);
  const at = (ms: number) => {
    now = 5000 + ms;
  };
  return Object.assign(made, { at });
}

test("the history has each second that is over, the last minute of them, and those in which nothing came", () => {
  const events = rate();
  assert.deepEqual(events.history(), []);
  events.add(3);
  events.at(400);
  events.add(4);
  assert.deepEqual(events.history(), [7], "until one is over, what there is");
  events.at(1000);
  events.add(5);
  events.at(3999);
  events.add(1);
  assert.deepEqual(events.history(), [7, 5, 0]);
  for (let second = 4; second < 100; second++) {
    events.at(second * 1000);
    events.add(second);
  }
  assert.deepEqual(
    events.history(),
    Array.from({ length: 60 }, (_, i) => 39 + i),
  );
  // paused for a day: what was read before is no longer of the last minute
  events.at(86_400_000);
  events.add(1);
  assert.deepEqual(events.history(), new Array(60).fill(0));
});

test("what is per second is what came in the last three", () => {
  const events = rate();
  events.add(30);
  assert.equal(events.perSecond(), 120, "a quarter of a second counts as one");
  events.at(1000);
  assert.equal(events.perSecond(), 30);
  events.at(3000);
  events.add(60);
  assert.equal(events.perSecond(), 30);
  events.at(3001);
  assert.equal(events.perSecond(), 20);
});

test("a history is a line of one point a second, from the left, and is said in words", () => {
  assert.equal(sparklinePoints([0, 5, 10]), "0.0,15.0 1.5,8.0 3.1,1.0");
  assert.equal(sparklinePoints([0, 0]), "0.0,15.0 1.5,15.0");
  assert.equal(sparklinePoints([6000, 10, 10, 20]), "0.0,1.0 1.5,11.5 3.1,11.5 4.6,8.0", "a peak is cut off");
  const minute = sparklinePoints(Array.from({ length: 70 }, (_, i) => i)).split(" ");
  assert.deepEqual([minute.length, minute[0], minute.at(-1)], [60, "0.0,13.0", "90.0,1.0"]);
  assert.match(
    sparklineHtml([1200, 0, 7]),
    /^<svg [^>]*role="img" aria-label="records read in each of 3 seconds: 7 in the last, 1,200 at most"[^>]*><title>.*<polyline points="[^"]+"/,
  );
  assert.equal(sparklineHtml([7]), "", "one point is no line");
});
