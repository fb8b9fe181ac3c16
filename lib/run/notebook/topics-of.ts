import { Refusal } from "../../error.ts";
import type { Cluster } from "../../log/index.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";

/** The topics of a source. @throws MillraceError `TOPIC_NOT_FOUND`; Refusal `NO_TOPIC_MATCHES` */
export async function topicsOf(cluster: Cluster, node: SourceNode): Promise<readonly string[]> {
  if (node.pattern === undefined) {
    await cluster.metadata(node.topics);
    return node.topics;
  }
  const names = await cluster.topicsMatching(node.pattern);
  if (names.length > 0) return names;
  throw new Refusal({
    code: "NO_TOPIC_MATCHES",
    what: `no topic matches ${node.pattern}`,
    remedies: ["`millrace topics` lists the topics there are"],
  });
}
