import { type Cluster, Producer, partitionByKey } from "../../lib/log/index.ts";

/** Readings `from`, `from + 1`, … of the devices that `key` names, written as fast as may be; their times are `apart` ms from each other, one by default. */
export async function writeReadings(
  cluster: Cluster,
  topic: string,
  { from, count, key, apart = 1 }: { from: number; count: number; key: (n: number) => string; apart?: number },
): Promise<void> {
  const text = new TextEncoder();
  const parts = { keys: "", values: "" };
  const ends = { keys: new Uint32Array(count), values: new Uint32Array(count) };
  for (let i = 0; i < count; i++) {
    const [n, device] = [from + i, key(from + i)];
    parts.keys += device;
    parts.values += `{"device":"${device}","timestamp":${1_700_000_000_000 + Math.floor(n * apart)},"x":${n % 17},"y":0.5,"n":${n}}`;
    ends.keys[i] = parts.keys.length;
    ends.values[i] = parts.values.length;
  }
  const column = (name: "keys" | "values") => {
    const starts = new Uint32Array(count);
    starts.set(ends[name].subarray(0, count - 1), 1);
    return { bytes: text.encode(parts[name]), starts, ends: ends[name] };
  };
  const columns = {
    count,
    keys: column("keys"),
    values: column("values"),
    timestamps: new Float64Array(count).fill(Date.now()),
  };
  const partitions = (await cluster.metadata([topic])).get(topic)!.partitions.length;
  const producer = await Producer.create(cluster);
  for (const [partition, part] of partitionByKey(columns, partitions).entries())
    await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
}
