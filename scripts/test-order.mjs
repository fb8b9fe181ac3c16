// The order in which test files start. Two run at a time: one that computes beside one that mostly waits (for session timeouts, for brokers that are
// down), the long ones before the short ones; and between two with a browser there is another one, since a browser takes all that the machine has.
import path from "node:path";

/** What computes most, longest first. */
const BUSY = [
  "test/browser/lab-extension.test.ts",
  "test/notebooks/notebooks.test.ts",
  "test/browser/odd-frames.test.ts",
  "test/promote/job.test.ts",
  "test/browser/notebook-7.test.ts",
  "test/promote/same-sinks.test.ts",
  "test/gateway/whole-way.test.ts",
  "test/promote/warm.test.ts",
  "test/browser/debugger.test.ts",
  "test/promote/",
  "test/browser/plain-table.test.ts",
  "test/conformance/clients.test.ts",
  "test/whole-way/",
  "test/kernel/",
];

/** What mostly waits, longest first. */
const WAITING = ["test/drills/", "test/run/job/", "test/log/"];

/** @param {readonly string[]} files as globbed @returns {string[]} all of them, as they should start */
export function inOrder(files) {
  const named = files.map((file) => file.split(path.sep).join("/")).sort();
  const ranked = (ranks) =>
    named
      .map((file) => ({ file, rank: ranks.findIndex((rank) => file.startsWith(rank)) }))
      .filter(({ rank }) => rank !== -1)
      .sort((a, b) => a.rank - b.rank)
      .map(({ file }) => file);
  const [busy, waiting] = [ranked(BUSY), ranked(WAITING)];
  const paired = Array.from({ length: Math.max(busy.length, waiting.length) }, (_, i) => [busy[i], waiting[i]]).flat();
  // a set: what a longer path ranks before its folder comes once
  return [...new Set([...paired.filter((file) => file !== undefined), ...named])];
}
