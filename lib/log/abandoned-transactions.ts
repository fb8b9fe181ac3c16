import type { Cluster } from "./cluster.ts";
import { BrokerRefused, kafkaErrorName, kafkaErrorOf } from "./errors.ts";
import { describeGroupsV5, describeTransactionsV0, initProducerIdV4 } from "./kafka-package.ts";

/** The `group.instance.id`s of a group's members, as far as they have some. */
export async function groupInstances(cluster: Cluster, groupId: string): Promise<ReadonlySet<string>> {
  const members = await membersOf(cluster, groupId);
  return new Set(members.flatMap(({ groupInstanceId }) => groupInstanceId ?? []));
}

/** How many members a group has; none where there is no such group. */
export async function groupMembers(cluster: Cluster, groupId: string): Promise<number> {
  return (await membersOf(cluster, groupId)).length;
}

async function membersOf(cluster: Cluster, groupId: string) {
  const doing = `describing group "${groupId}"`;
  return await cluster.retry(doing, async () => {
    const broker = cluster.broker(await cluster.coordinator("group", groupId), "control");
    const { groups } = await broker.request(describeGroupsV5.api, [groupId], false);
    const { errorCode, members } = groups[0]!;
    if (errorCode !== 0) throw new BrokerRefused(doing, kafkaErrorName(errorCode));
    return members;
  });
}

/**
 * Aborts the transaction that a producer has left open, so that nobody waits until it times out: readers of its outputs, and who restores from
 * what it wrote. Its epoch is raised: should it live after all, its transaction is lost.
 * @returns whether one was open
 */
export async function endAbandonedTransaction(cluster: Cluster, transactionalId: string): Promise<boolean> {
  const doing = `ending the transaction of "${transactionalId}"`;
  return await cluster.retry(doing, async () => {
    const broker = cluster.broker(await cluster.coordinator("transaction", transactionalId), "control");
    const described = await broker.request(describeTransactionsV0.api, [transactionalId]).catch((error) => {
      if (kafkaErrorOf(error) === "TRANSACTIONAL_ID_NOT_FOUND") return undefined;
      throw error;
    });
    const state = described?.transactionStates[0];
    if (state?.transactionState !== "Ongoing") return false;
    const answer = await broker.request(
      initProducerIdV4.api,
      transactionalId,
      state.transactionTimeoutMs,
      BigInt(-1),
      -1,
    );
    if (answer.errorCode !== 0) throw new BrokerRefused(doing, kafkaErrorName(answer.errorCode));
    return true;
  });
}
