import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of frames that may lie about. Making so many takes several times as long as their collection. */
const LEFT = 32 * 2 ** 20;

let left = 0;
let collect: ((options: { readonly type: "major" }) => void) | undefined;

/**
 * Tells that a frame of about so many bytes was held for long and is not any more, because another has taken its place. V8 does not know what a frame holds outside
 * of its heap: it takes one of 30 MiB for an object of some kilobytes, and by itself would leave hundreds of them lying. So whenever enough have been left, the heap
 * is collected (10 ms or so); their memory is free after the next turn of the event loop (docs/decisions/052-frames-nobody-holds.md).
 */
export function frameReplaced(bytes: number): void {
  left += bytes;
  if (left < LEFT) return;
  left = 0;
  collect ??= collector();
  collect({ type: "major" });
}

/** `gc` is a global of contexts that are made while the flag is set: of one of its own here, so that no program sees it. */
function collector(): NonNullable<typeof collect> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as NonNullable<typeof collect>;
  setFlagsFromString("--no-expose-gc");
  return gc;
}
