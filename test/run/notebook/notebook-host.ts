import { HOST, type MimeBundle, type NotebookHost, type ReadRecord } from "../../../lib/run/host.ts";

/** A notebook that keeps what it is given, until its `end`. */
export function notebook(headless = false, liveFor = 300) {
  const interrupt = new AbortController();
  const seen = { updates: [] as MimeBundle[], held: [] as Promise<unknown>[], reads: [] as ReadRecord[] };
  const host: NotebookHost = {
    cell: () => ({ id: "c1", signal: interrupt.signal }),
    headless,
    liveFor,
    display(bundle) {
      seen.updates.push(bundle);
      return { id: "d1", update: (next) => void seen.updates.push(next) };
    },
    hold: (promise) => void seen.held.push(promise),
    recordRead: (read) => void seen.reads.push(read),
  };
  (globalThis as any)[HOST] = host;
  return { ...seen, interrupt, end: () => delete (globalThis as any)[HOST] };
}
