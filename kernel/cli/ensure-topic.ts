import { MillraceError } from "../../lib/error.ts";
import type { Cluster } from "../../lib/log/index.ts";

/**
 * The partition count of a topic; with `create` it is made with so many partitions if it is not there, keeping records of any age
 * (records with old timestamps would be deleted within minutes under the default retention).
 * @param option by which `create` is given
 */
export async function ensureTopic(
  cluster: Cluster,
  topic: string,
  option: "--create" | "--partitions",
  create?: number,
): Promise<number> {
  if (create !== undefined && !(await cluster.topics()).has(topic))
    await cluster.createTopic(topic, { partitions: create, config: { "retention.ms": "-1" } });
  const metadata = await cluster.metadata([topic]).catch((error) => {
    if (!(error instanceof MillraceError && error.code === "TOPIC_NOT_FOUND")) throw error;
    const { code, what, where, remedies } = error;
    throw new MillraceError({ code, what, ...(where && { where }), remedies: [...remedies, `make it: ${option} 4`] });
  });
  return metadata.get(topic)!.partitions.length;
}
