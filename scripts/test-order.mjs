// The order in which test files start: in three lanes. One computes with a browser, which takes most of what the machine has, one computes without, and one mostly waits
// (for session timeouts, for brokers that are down); in each the long ones come before the short ones.
import path from "node:path";

/** Longest first. */
const BROWSER = [
  "test/browser/lab-extension.test.ts",
  "test/browser/odd-frames.test.ts",
  "test/browser/notebook-7.test.ts",
  "test/gateway/whole-way.test.ts",
  "test/browser/debugger.test.ts",
  "test/browser/",
  "test/conformance/clients.test.ts",
];

/** Longest first; what else there is comes after. */
const BUSY = [
  "test/notebooks/notebooks.test.ts",
  "test/promote/job.test.ts",
  "test/promote/same-sinks.test.ts",
  "test/promote/warm.test.ts",
  "test/promote/",
  "test/whole-way/",
  "test/kernel/",
];

/** Longest first. */
const WAITING = ["test/drills/", "test/run/job/", "test/log/"];

/**
 * @param {readonly string[]} files as globbed
 * @returns {string[][]} a list for each lane, in which a file is in one or in several: whoever has time takes the first that has not begun
 */
export function lanes(files) {
  const named = files.map((file) => file.split(path.sep).join("/")).sort();
  const rankIn = (ranks) => (file) => ranks.findIndex((rank) => file.startsWith(rank));
  const ranked = (ranks) => {
    const rank = rankIn(ranks);
    return named.filter((file) => rank(file) !== -1).sort((a, b) => rank(a) - rank(b));
  };
  const [browser, waiting] = [ranked(BROWSER), ranked(WAITING)];
  const others = new Set([...browser, ...waiting]);
  const busy = [...new Set([...ranked(BUSY), ...named])].filter((file) => !others.has(file));
  return [[...browser, ...busy, ...waiting], [...busy, ...waiting], waiting];
}
