import type { NotebookLiveFrame } from "../notebook-live-frame.ts";
import { type FrameView, type FrameWindow, followedWindow, follows, frameWindow } from "./frame-window.ts";

/** What is on screen of a live frame: where it is among all rows, and the rows as an Arrow stream. */
export interface WindowPicture {
  readonly place: Omit<FrameWindow, "rows">;
  readonly rows: Uint8Array;
}

interface Made {
  version: number;
  readonly pictures: Map<string, WindowPicture>;
}

const made = new WeakMap<NotebookLiveFrame, Made>();

/** Viewers that look alike at the same rows share one picture. */
export function windowPicture(frame: NotebookLiveFrame, view: FrameView): WindowPicture {
  let held = made.get(frame);
  if (held === undefined || held.version !== frame.version) {
    held = { version: frame.version, pictures: new Map() };
    made.set(frame, held);
  }
  const name = JSON.stringify(view);
  let picture = held.pictures.get(name);
  if (picture === undefined) {
    const { rows, ...place } = follows(view)
      ? followedWindow((count) => frame.latest(count), frame.status.kept, frame.columns, view)
      : frameWindow(frame.df, view, frame.key);
    picture = { place, rows: rows.writeIPCStream() };
    held.pictures.set(name, picture);
  }
  return picture;
}
