import pl from "nodejs-polars";

const FILE = Buffer.from("ARROW1");

/** An Arrow IPC file or stream, by Polars. @throws Error in one phrase */
export function readArrow(bytes: Buffer): pl.DataFrame {
  const isFile = bytes.subarray(0, FILE.length).equals(FILE);
  if (!isFile && (bytes.length < 8 || bytes.readInt32LE(0) !== -1)) throw new Error("not an Arrow IPC file or stream");
  try {
    return isFile ? pl.readIPC(bytes) : pl.readIPCStream(bytes);
  } catch (error) {
    throw new Error(`not Arrow: ${(error as Error).message}`);
  }
}
