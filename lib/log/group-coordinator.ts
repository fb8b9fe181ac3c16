import { type BrokerConnection, isPassing } from "./broker-connection.ts";
import type { Cluster } from "./cluster.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import { heartbeatV4, joinGroupV7, leaveGroupV4, type messages, syncGroupV5 } from "./kafka-package.ts";

export interface MembershipTerms {
  readonly groupId: string;
  readonly instanceId: string | null;
  /** ms */
  readonly sessionTimeout: number;
  /** ms */
  readonly rebalanceTimeout: number;
  /** The assignor every member must offer. */
  readonly protocol: string;
}

const RETRY_PAUSE = 200;
let instances = 0;

/** The conversation of one member with its group's coordinator, which is found again whenever it moved. */
export class GroupCoordinator {
  readonly #cluster: Cluster;
  readonly #terms: MembershipTerms;
  readonly #suffix = `member-${++instances}`;
  #node: number | undefined;
  #stopped = false;

  constructor(cluster: Cluster, terms: MembershipTerms) {
    this.#cluster = cluster;
    this.#terms = terms;
  }

  /** Answers once every member has joined. Undefined once {@link stop} was called. */
  async join(memberId: string, metadata: Buffer): Promise<messages.joinGroupV7.JoinGroupResponse | undefined> {
    const { groupId, instanceId, sessionTimeout, rebalanceTimeout, protocol } = this.#terms;
    return await this.#ask("joining", (broker) =>
      broker.request(joinGroupV7.api, groupId, sessionTimeout, rebalanceTimeout, memberId, instanceId, "consumer", [
        { name: protocol, metadata },
      ]),
    );
  }

  /** Answers once the leader has said who has what. Undefined once {@link stop} was called. */
  async sync(
    memberId: string,
    generation: number,
    assignments: messages.syncGroupV5.SyncGroupRequestAssignment[],
  ): Promise<messages.syncGroupV5.SyncGroupResponse | undefined> {
    const { groupId, instanceId, protocol } = this.#terms;
    return await this.#ask("syncing", (broker) =>
      broker.request(syncGroupV5.api, groupId, generation, memberId, instanceId, "consumer", protocol, assignments),
    );
  }

  /** The error code of one heartbeat; 0 as well when the coordinator has moved, and the next beat goes to its successor. */
  async heartbeat(memberId: string, generation: number): Promise<number> {
    const { groupId, instanceId } = this.#terms;
    try {
      const broker = this.#cluster.broker(await this.#coordinator(), "control", this.#suffix);
      const { errorCode } = await broker.request(heartbeatV4.api, groupId, generation, memberId, instanceId);
      if (!hasMoved(errorCode)) return errorCode;
      this.#node = undefined;
      return 0;
    } catch (error) {
      this.#node = undefined;
      throw error;
    }
  }

  /** Tried once: whoever is not heard of is out after its session timeout. */
  async leave(memberId: string): Promise<void> {
    const { groupId, instanceId } = this.#terms;
    const broker = this.#cluster.broker(await this.#coordinator(), "group", this.#suffix, this.#patience);
    await broker.request(leaveGroupV4.api, groupId, [{ memberId, groupInstanceId: instanceId }]);
  }

  /** Ends a join that waits for other members, with its connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#cluster.release("group", this.#suffix);
  }

  async release(): Promise<void> {
    await this.#cluster.release("group", this.#suffix);
    await this.#cluster.release("control", this.#suffix);
  }

  /** A join is answered when the slowest member has joined. */
  get #patience(): number {
    return this.#terms.rebalanceTimeout + 30_000;
  }

  /** Asks again and again through passing troubles. */
  async #ask<T extends { errorCode: number }>(
    doing: string,
    question: (broker: BrokerConnection) => Promise<T>,
  ): Promise<T | undefined> {
    for (;;) {
      let trouble: unknown;
      try {
        const node = await this.#coordinator();
        const answer = await question(this.#cluster.broker(node, "group", this.#suffix, this.#patience));
        if (!hasMoved(answer.errorCode)) return answer;
        trouble = new BrokerRefused(`${doing} group "${this.#terms.groupId}"`, kafkaErrorName(answer.errorCode));
      } catch (error) {
        trouble = error;
      }
      this.#node = undefined;
      if (this.#stopped) return undefined;
      if (!isPassing(trouble)) throw trouble;
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE));
    }
  }

  async #coordinator(): Promise<number> {
    this.#node ??= await this.#cluster.coordinator("group", this.#terms.groupId);
    return this.#node;
  }
}

function hasMoved(errorCode: number): boolean {
  const error = kafkaErrorName(errorCode);
  return error === "NOT_COORDINATOR" || error.startsWith("COORDINATOR_");
}
