import { MillraceError } from "../../error.ts";
import type { Cluster } from "../../log/index.ts";
import type { Mode } from "../modes.ts";

/**
 * The partition count of a topic that is written to. Whether a missing one is created depends on the mode.
 * @param create for a new topic: its partition count and configuration
 * @throws {MillraceError} `NO_OUTPUT_TOPIC`
 */
export async function outputPartitions(
  cluster: Cluster,
  topic: string,
  mode: Mode,
  create?: {
    readonly partitions: number;
    readonly config: Readonly<Record<string, string>>;
    readonly created: () => void;
  },
): Promise<number> {
  if (mode.createsTopics && create !== undefined && !(await cluster.topics()).has(topic)) {
    if (await cluster.createTopic(topic, create)) create.created();
  }
  try {
    return ((await cluster.metadata([topic])).get(topic)?.partitions ?? []).length;
  } catch (cause) {
    if (!(cause instanceof MillraceError) || cause.code !== "TOPIC_NOT_FOUND") throw cause;
    throw new MillraceError({
      code: "NO_OUTPUT_TOPIC",
      what: `the output topic "${topic}" does not exist, and a notebook creates none`,
      where: `.to("${topic}").run()`,
      remedies: ["create it with your Kafka tools", "or promote the notebook: the job creates it"],
      cause,
    });
  }
}
