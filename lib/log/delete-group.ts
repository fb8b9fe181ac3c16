import type { Cluster } from "./cluster.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import { deleteGroupsV2, type messages } from "./kafka-package.ts";

/** Deletes a group and its committed offsets; one that is not there is no error. @returns false while it has members */
export async function deleteGroup(cluster: Cluster, groupId: string): Promise<boolean> {
  const doing = `deleting group "${groupId}"`;
  return await cluster.retry(doing, async () => {
    const broker = cluster.broker(await cluster.coordinator("group", groupId), "control");
    const { results } = await broker.request(deleteGroupsV2.api, [groupId]).catch((error) => {
      // the client throws for a code in the answer
      const answer = (error as { response?: messages.deleteGroupsV2.DeleteGroupsResponse }).response;
      if (answer === undefined) throw error;
      return answer;
    });
    const error = kafkaErrorName(results[0]!.errorCode);
    if (error === "NON_EMPTY_GROUP") return false;
    if (results[0]!.errorCode !== 0 && error !== "GROUP_ID_NOT_FOUND") throw new BrokerRefused(doing, error);
    return true;
  });
}
