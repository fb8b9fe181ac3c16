/** Sessions of all keys, as columns: those known before, and those that begin. */
export interface Sessions {
  /** Per session, in ms: its first time, and its last time and the gap. */
  readonly start: number[];
  readonly end: number[];
  /** Per session: that which it has been taken up by, or itself. */
  readonly taken: number[];
}

export interface Assignment {
  readonly sessions: Sessions;
  /** Per row: its session; -1 for none. */
  readonly session: Int32Array;
  readonly late: number;
  readonly withoutTime: number;
}

/**
 * Goes through rows one by one: a row joins the open session of its key whose times are less than the gap from it, brings several of them
 * together, or begins one. A session is closed once the watermark has reached its end and grace; no row joins it then. A row is late when there
 * is no session for it and the one it would begin had closed just before it came.
 * @param known sessions that are open, one row each; `keys` their keys as numbers
 * @param keys of the rows, as numbers from 0 on
 * @param times of the rows, ms; NaN for none
 * @param watermarks just before each row, ms; NaN for none
 */
export function assignSessions(
  known: { readonly keys: ArrayLike<number>; readonly start: ArrayLike<number>; readonly end: ArrayLike<number> },
  keys: ArrayLike<number>,
  times: Float64Array,
  watermarks: Float64Array,
  { gap, grace }: { readonly gap: number; readonly grace: number },
): Assignment {
  const [start, end] = [Array.from(known.start), Array.from(known.end)];
  const taken = start.map((_, i) => i);
  const open = new Map<number, number[]>();
  for (let i = 0; i < start.length; i++) {
    const list = open.get(known.keys[i]!);
    if (list === undefined) open.set(known.keys[i]!, [i]);
    else list.push(i);
  }
  const session = new Int32Array(times.length).fill(-1);
  let [late, withoutTime] = [0, 0];
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (Number.isNaN(time)) {
      withoutTime++;
      continue;
    }
    const closed = watermarks[i]! - grace;
    let list = open.get(keys[i]!);
    if (list === undefined) {
      list = [];
      open.set(keys[i]!, list);
    }
    let own = -1;
    for (let j = 0; j < list.length; j++) {
      const one = list[j]!;
      const gone = end[one]! <= closed;
      const meets = !gone && start[one]! < time + gap && end[one]! > time;
      if (meets && own < 0) {
        own = one;
        continue;
      }
      if (meets) {
        start[own] = Math.min(start[own]!, start[one]!);
        end[own] = Math.max(end[own]!, end[one]!);
        taken[one] = own;
      }
      if (meets || gone) list.splice(j--, 1);
    }
    if (own >= 0) {
      start[own] = Math.min(start[own]!, time);
      end[own] = Math.max(end[own]!, time + gap);
    } else if (time + gap <= closed) {
      late++;
      continue;
    } else {
      own = start.length;
      start.push(time);
      end.push(time + gap);
      taken.push(own);
      list.push(own);
    }
    session[i] = own;
  }
  const last = (one: number): number => {
    let at = one;
    while (taken[at] !== at) at = taken[at]!;
    return at;
  };
  for (let i = 0; i < taken.length; i++) taken[i] = last(i);
  for (let i = 0; i < session.length; i++) if (session[i]! >= 0) session[i] = taken[session[i]!]!;
  return { sessions: { start, end, taken }, session, late, withoutTime };
}
