import pl from "nodejs-polars";

const FILE = Buffer.from("ARROW1");

/** Whether it is a file; else it is a stream, or nothing of Arrow. */
export function isFile(bytes: Buffer): boolean {
  return bytes.subarray(0, FILE.length).equals(FILE);
}

/** An Arrow IPC file or stream, by Polars. @throws Error in one phrase */
export function readArrow(bytes: Buffer): pl.DataFrame {
  if (!isFile(bytes) && (bytes.length < 8 || bytes.readInt32LE(0) !== -1))
    throw new Error("not an Arrow IPC file or stream");
  try {
    return isFile(bytes) ? pl.readIPC(bytes) : pl.readIPCStream(bytes);
  } catch (error) {
    throw new Error(`not Arrow: ${(error as Error).message}`);
  }
}
