import type { WindowSequence } from "./window-sequence.ts";

/** Which windows take each row of a batch: those from `oldest` to `newest`; none where `oldest` is the greater one. */
export interface Placement {
  readonly newest: Float64Array;
  readonly oldest: Float64Array;
  /** Windows a row takes part in, at most. */
  readonly overlapping: number;
  /** Whether every row has a window. */
  readonly complete: boolean;
  /** How often a row came too late for a window. */
  readonly late: number;
  readonly withoutTime: number;
}

/**
 * Places rows: each goes to every window that contains its time and was open just before it.
 * @param times of the rows, ms; NaN for none
 * @param watermarks just before each row, ms; NaN for none yet
 * @param grace how long after its end a window is open, ms of the watermark
 */
export function place(
  windows: WindowSequence,
  times: Float64Array,
  watermarks: Float64Array,
  grace: number,
): Placement {
  const newest = new Float64Array(times.length);
  const oldest = new Float64Array(times.length);
  let [overlapping, late, withoutTime, complete] = [1, 0, 0, true];
  // rows mostly stay in the window of the row before
  let [window, from, to] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (Number.isNaN(time)) {
      withoutTime++;
      oldest[i] = 1;
      complete = false;
      continue;
    }
    if (!(time >= from && time < to)) {
      window = windows.newest(time);
      from = windows.start(window);
      to = windows.start(window + 1);
    }
    const closed = watermarks[i]! - grace;
    let first = window + 1;
    while (windows.end(first - 1) > time) {
      if (windows.end(first - 1) <= closed) {
        late++;
        for (let missed = first - 2; windows.end(missed) > time; missed--) late++;
        break;
      }
      first--;
    }
    newest[i] = window;
    oldest[i] = first;
    const count = window - first + 1;
    if (count === 0) complete = false;
    else if (count > overlapping) overlapping = count;
  }
  return { newest, oldest, overlapping, complete, late, withoutTime };
}

/** The windows that contain a row's time and had closed before it: rows by their place in the batch, earlier windows first. */
export function missedWindows(
  windows: WindowSequence,
  times: Float64Array,
  watermarks: Float64Array,
  grace: number,
): { rows: number[]; starts: number[] } {
  const [rows, starts]: [number[], number[]] = [[], []];
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    const closed = watermarks[i]! - grace;
    if (Number.isNaN(time) || Number.isNaN(closed)) continue;
    const newest = windows.newest(time);
    let oldest = newest + 1;
    while (windows.end(oldest - 1) > time) oldest--;
    for (let window = oldest; window <= newest && windows.end(window) <= closed; window++) {
      rows.push(i);
      starts.push(windows.start(window));
    }
  }
  return { rows, starts };
}
