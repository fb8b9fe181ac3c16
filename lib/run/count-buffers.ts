import { setFlagsFromString } from "node:v8";

/**
 * Has V8 count buffers with the objects of its heap. By itself it collects the whole heap for every 64 MiB of buffers, which a reader of a topic turns over
 * several times a second beside 30 MiB of objects; so it waits until the sum has grown (docs/decisions/061-buffers-and-collections.md).
 * For processes that are ours: a job, the kernel. A program that uses the library keeps its own settings.
 */
export function countBuffersWithHeap(): void {
  setFlagsFromString("--external-memory-accounted-in-global-limit");
}

/**
 * Has V8 collect the whole heap once it, and with {@link countBuffersWithHeap} the buffers, have doubled since the last time. By itself it lets a small
 * heap grow to three or four times what is alive: a job then holds 300 MiB of buffers that nobody needs (docs/decisions/061-buffers-and-collections.md).
 */
export function collectAtTwice(): void {
  setFlagsFromString("--heap-growing-percent=100");
}
