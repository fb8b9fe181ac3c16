import { PassThrough } from "node:stream";
import { run } from "node:test";

/**
 * Runs test files, one at a time in each lane.
 * @param {readonly (readonly string[])[]} lanes files of each, in their order; a file that is in several runs once
 * @param {Promise<unknown>} before what the last lane waits for
 * @param {object} options of `node:test`'s `run`
 * @returns {{events: PassThrough, ended: Promise<{counts: Record<string, number>, seconds: Map<string, number>}>}} what a reporter takes, and how it went
 */
export function runLanes(lanes, before, options) {
  const events = new PassThrough({ objectMode: true });
  const began = performance.now();
  const counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  const seconds = new Map();
  const begun = new Set();
  const lane = async (files) => {
    for (const file of files) {
      if (begun.has(file) || options.signal?.aborted) continue;
      begun.add(file);
      for await (const event of run({ ...options, files: [file], concurrency: false })) {
        const { type, data } = event;
        if (type === "test:summary") {
          if (data.file !== undefined) continue; // a file that crashes has none of its own
          for (const name of Object.keys(counts)) counts[name] += data.counts[name];
          seconds.set(file, data.duration_ms / 1000);
        } else if (!(type === "test:diagnostic" && data.file === undefined)) events.write(event);
      }
    }
  };
  const ended = Promise.all(
    lanes.map(async (files, i) => {
      if (i === lanes.length - 1) await before;
      await lane(files);
    }),
  ).then(() => {
    const diagnostic = (message) =>
      events.write({ type: "test:diagnostic", data: { nesting: 0, message, level: "info" } });
    for (const [name, count] of Object.entries(counts)) diagnostic(`${NAMES[name] ?? name} ${count}`);
    diagnostic(`duration_ms ${performance.now() - began}`);
    events.end();
    return { counts, seconds };
  });
  return { events, ended };
}

/** As the reporters of node:test call them. */
const NAMES = { passed: "pass", failed: "fail" };
