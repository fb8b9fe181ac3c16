import { MillraceError } from "../error.ts";
import { assign, type Member } from "./assignor.ts";
import type { Cluster } from "./cluster.ts";
import type { TopicPartition } from "./columns.ts";
import { commitOffsets, committedOffsets } from "./committed-offsets.ts";
import { BrokerRefused, kafkaErrorName, kafkaErrorOf } from "./errors.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import type { GroupGeneration } from "./group-generation.ts";
import {
  type Assignment,
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from "./group-protocol.ts";
import type { messages } from "./kafka-package.ts";
import { PartitionWatch } from "./partition-watch.ts";

export interface GroupMemberOptions {
  groupId: string;
  topics: readonly string[];
  /** `group.instance.id`: a member that comes back under it within the session timeout has its partitions at once. */
  instanceId?: string;
  /** A member that is silent for longer loses its partitions, ms; 10 s by default. */
  sessionTimeout?: number;
  /** How long the group waits for a member to join a rebalance, and a member for its own `onRevoked`, ms; 60 s by default. */
  rebalanceTimeout?: number;
  /** How soon partitions added to a topic are noticed, and shared out by a rebalance, ms; 30 s by default. */
  metadataMaxAge?: number;
  /** These partitions are ours from now on. The next rebalance waits for it. */
  onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** These go to another member once this has settled, or after `rebalanceTimeout`, when `onLost` is called for them. */
  onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** Where state is kept: copies of it beside the owners'. */
  standbys?: {
    /** How many of each partition. */
    readonly replicas: number;
    /** Partition numbers of whose state there is a copy here that is up to date. */
    warm(): readonly number[];
    /**
     * Of whose state copies are to be kept from now on; after `onAssigned`.
     * @param next those that become this member's once `warm` has them and {@link GroupMember.rebalance} was called
     */
    onGiven(partitions: readonly number[], next: readonly number[]): void | Promise<void>;
  };
  /** These have gone already: the group moved on without this member. Nothing can be committed for them. */
  onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** Membership has ended for good, after `onLost`: another process took the instance id, or the group cannot be joined. */
  onFailed?: (error: MillraceError) => void;
}

/** The assignor every member must offer: members of other clients are told apart by it. */
const PROTOCOL = "millrace-cooperative";
/** How often a member asks whether it is still one, and whether a rebalance has begun; less where timeouts are short. */
const HEARTBEAT = 1000;

/**
 * A member of a consumer group: classic protocol with incremental rebalances (KIP-429) and static membership (KIP-345).
 * Partitions that stay are read on through a rebalance; only those that move are revoked.
 */
export class GroupMember {
  readonly #cluster: Cluster;
  readonly #options: GroupMemberOptions;
  readonly #coordinator: GroupCoordinator;
  readonly #sessionTimeout: number;
  readonly #rebalanceTimeout: number;
  #memberId = "";
  #generation = -1;
  #owned: TopicPartition[] = [];
  #rejoin = Promise.withResolvers<void>();
  #heartbeats: NodeJS.Timeout | undefined;
  /** Every member watches: a leader that restarts under its instance id is not told that it leads. */
  #watch: PartitionWatch | undefined;
  #beating = false;
  /** Counts the times of joining, so that answers to heartbeats of an earlier one are known as such. */
  #joins = 0;
  #joining = false;
  /** A generation went by without us: what we owned may have been read by others. */
  #missed = false;
  /** Joining and committing exclude each other: a commit of the old generation would be refused. */
  #stability: Promise<unknown> = Promise.resolve();
  #life: Promise<void> | undefined;
  #first = Promise.withResolvers<void>();
  #state: "new" | "member" | "closed" = "new";

  constructor(cluster: Cluster, options: GroupMemberOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#sessionTimeout = options.sessionTimeout ?? 10_000;
    this.#rebalanceTimeout = options.rebalanceTimeout ?? 60_000;
    this.#coordinator = new GroupCoordinator(cluster, {
      groupId: options.groupId,
      instanceId: options.instanceId ?? null,
      sessionTimeout: this.#sessionTimeout,
      rebalanceTimeout: this.#rebalanceTimeout,
      protocol: PROTOCOL,
    });
  }

  /** Joins; resolves after the first `onAssigned` (which may bring no partitions). @throws when the group cannot be joined */
  async join(): Promise<void> {
    if (this.#state === "new") {
      this.#state = "member";
      this.#first.promise.catch(() => {});
      this.#life = this.#live();
    }
    await this.#first.promise;
  }

  get groupId(): string {
    return this.#options.groupId;
  }

  /** What this member may read now. */
  assigned(): readonly TopicPartition[] {
    return this.#owned;
  }

  /** For commits: {@link Producer.sendOffsets}. Outside {@link stable} it may be outdated by the time it is used. */
  generation(): GroupGeneration {
    const { instanceId } = this.#options;
    return {
      generationId: this.#generation,
      memberId: this.#memberId,
      ...(instanceId !== undefined && { instanceId }),
    };
  }

  /**
   * Runs `work` (a commit) in one generation: the member joins no rebalance before it has settled. Keep it shorter than `rebalanceTimeout`.
   * May be called inside `onRevoked` and `onAssigned`.
   */
  async stable<T>(work: (generation: GroupGeneration) => Promise<T>): Promise<T> {
    return await this.#exclusive(() => work(this.generation()));
  }

  /** Whether another process has joined as this member: asked at once, not with the next heartbeat. */
  async isReplaced(): Promise<boolean> {
    if (this.#memberId === "") return false;
    return kafkaErrorName(await this.#coordinator.heartbeat(this.#memberId, this.#generation)) === "FENCED_INSTANCE_ID";
  }

  /** The group's committed offsets, see {@link committedOffsets}. */
  async committed(partitions: readonly TopicPartition[], options: { requireStable?: boolean } = {}) {
    return await committedOffsets(this.#cluster, this.#options.groupId, partitions, options);
  }

  /** Commits offsets as this member, outside a transaction. @throws {BrokerRefused} when the group has moved on */
  async commit(offsets: Iterable<readonly [TopicPartition, number]>): Promise<void> {
    await this.stable((generation) => commitOffsets(this.#cluster, this.#options.groupId, generation, offsets));
  }

  /** Asks the group for a new assignment: the partitions of its topics have changed, or what this member has copies of. */
  rebalance(): void {
    if (this.#state === "member") this.#rejoin.resolve();
  }

  /** Gives everything back (`onRevoked`), then leaves: the others take over at once, also from a static member. */
  async leave(): Promise<void> {
    if (this.#state !== "member") return;
    await this.#end();
    await this.#revoke(this.#owned.splice(0));
    if (this.#memberId !== "") await this.#coordinator.leave(this.#memberId).catch(() => {});
    await this.#coordinator.release();
  }

  /** Stops without leaving: a static member may come back within the session timeout and find its partitions. No callback is called. */
  async close(): Promise<void> {
    await this.#end();
    await this.#coordinator.release();
  }

  /** Joins a round, and another one whenever the coordinator or a revocation asks for it. */
  async #live(): Promise<void> {
    try {
      while (this.#state === "member") {
        this.#rejoin = Promise.withResolvers();
        await this.#round();
        this.#first.resolve();
        await this.#rejoin.promise;
      }
    } catch (error) {
      if (this.#isClosed()) return;
      this.#state = "closed";
      this.#quiet();
      const failure = error instanceof MillraceError ? error : groupFailed(this.#options.groupId, error);
      await this.#lose();
      this.#first.reject(failure);
      this.#options.onFailed?.(failure);
    }
  }

  /** One rebalance: join, (as the leader) assign, sync, then give up and take over partitions. */
  async #round(): Promise<void> {
    const given = await this.#exclusive(async () => {
      this.#joins++;
      this.#joining = true;
      try {
        return await this.#joinAndSync();
      } finally {
        this.#joining = false;
      }
    });
    if (given === undefined || this.#isClosed()) return;
    const assigned = given.partitions;
    clearInterval(this.#heartbeats);
    this.#heartbeats = setInterval(
      () => void this.#beat(),
      Math.min(this.#sessionTimeout / 3, this.#rebalanceTimeout / 3, HEARTBEAT),
    );
    const revoked = without(this.#owned, assigned);
    const added = without(assigned, this.#owned);
    if (revoked.length > 0) {
      this.#owned = without(this.#owned, revoked);
      await this.#revoke(revoked);
      this.#rejoin.resolve(); // so that their new owners get them
    }
    if (this.#isClosed()) return;
    this.#owned = [...this.#owned, ...added];
    await this.#options.onAssigned?.(added);
    await this.#options.standbys?.onGiven(given.standby, given.next);
  }

  /** The assignment of a new generation; undefined when membership ended meanwhile. */
  async #joinAndSync(): Promise<Assignment | undefined> {
    while (!this.#isClosed()) {
      if (this.#missed) await this.#moved("ILLEGAL_GENERATION");
      const { topics, standbys } = this.#options;
      const copies = standbys === undefined ? {} : { replicas: standbys.replicas, warm: standbys.warm() };
      const subscription = { topics, owned: this.#owned, generation: this.#generation, ...copies };
      const joined = await this.#coordinator.join(this.#memberId, writeSubscription(subscription));
      if (joined === undefined) return undefined;
      if (joined.errorCode !== 0) {
        if (kafkaErrorName(joined.errorCode) === "MEMBER_ID_REQUIRED") this.#memberId = joined.memberId;
        else await this.#moved(kafkaErrorName(joined.errorCode));
        continue;
      }
      this.#memberId = joined.memberId;
      const leads = joined.leader === joined.memberId && joined.members.length > 0;
      const assignments = leads ? await this.#assign(joined.members) : [];
      void this.#watchPartitions(leads);
      const synced = await this.#coordinator.sync(this.#memberId, joined.generationId, assignments);
      if (synced === undefined) return undefined;
      if (synced.errorCode !== 0) {
        await this.#moved(kafkaErrorName(synced.errorCode));
        continue;
      }
      this.#generation = joined.generationId;
      return readAssignment(synced.assignment);
    }
    return undefined;
  }

  /** The leader's part: every member's share. */
  async #assign(members: readonly messages.joinGroupV7.JoinGroupResponseMember[]) {
    const subscriptions = members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      member: { name: groupInstanceId ?? memberId, ...readSubscription(metadata) } satisfies Member,
    }));
    const topics = [...new Set(subscriptions.flatMap(({ member }) => member.topics))];
    const metadata = await this.#cluster.metadata(topics);
    const counts = new Map([...metadata].map(([topic, { partitions }]) => [topic, partitions.length]));
    const shares = assign(
      subscriptions.map(({ member }) => member),
      counts,
    );
    return subscriptions.map(({ memberId, member }) => ({
      memberId,
      assignment: writeAssignment(shares.get(member.name)!),
    }));
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#joining || this.#state !== "member") return;
    this.#beating = true;
    const joins = this.#joins;
    try {
      const code = await this.#coordinator.heartbeat(this.#memberId, this.#generation);
      const error = kafkaErrorName(code);
      if (joins !== this.#joins || this.#state !== "member") return;
      if (error === "REBALANCE_IN_PROGRESS") this.#rejoin.resolve();
      else if (code !== 0) {
        this.#missed = error === "ILLEGAL_GENERATION";
        clearInterval(this.#heartbeats); // the next round starts them again
        this.#rejoin.resolve();
      }
    } catch {
      // the session may outlive it; the next beat looks for the coordinator again
      if (this.#cluster.closed) this.#quiet();
    } finally {
      this.#beating = false;
    }
  }

  /** An answer that says the group has gone on: what was owned is lost, unless only another round is asked for. */
  async #moved(error: string): Promise<void> {
    switch (error) {
      case "REBALANCE_IN_PROGRESS":
        return;
      case "UNKNOWN_MEMBER_ID":
        this.#memberId = "";
        this.#generation = -1;
        return await this.#lose();
      case "ILLEGAL_GENERATION":
        this.#missed = false;
        this.#generation = -1;
        return await this.#lose();
      case "FENCED_INSTANCE_ID":
        throw new MillraceError({
          code: "MEMBER_FENCED",
          what: `Another process has joined group "${this.#options.groupId}" as "${this.#options.instanceId}".`,
          remedies: [
            "this process has been replaced: let it end",
            "give each worker its own state folder, which holds its id",
          ],
        });
      case "INCONSISTENT_GROUP_PROTOCOL":
        throw new MillraceError({
          code: "FOREIGN_GROUP",
          what: `Group "${this.#options.groupId}" is in use by consumers of another kind.`,
          remedies: ["choose another job name (MILLRACE_JOB_NAME)", "stop the other consumers of the group first"],
        });
      default:
        throw new BrokerRefused(`joining group "${this.#options.groupId}"`, error);
    }
  }

  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), this.#rebalanceTimeout);
    });
    const outcome = await Promise.race([Promise.resolve(this.#options.onRevoked?.(partitions)), late]);
    clearTimeout(timer);
    if (outcome === "late") await this.#options.onLost?.(partitions);
  }

  async #lose(): Promise<void> {
    const lost = this.#owned;
    this.#owned = [];
    if (lost.length > 0) await this.#options.onLost?.(lost);
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#stability;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stability = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  async #end(): Promise<void> {
    const running = this.#state === "member" ? this.#life : undefined;
    this.#state = "closed";
    this.#quiet();
    this.#rejoin.resolve();
    this.#first.reject(new MillraceError({ code: "CLOSED", what: "The group member was closed." }));
    // a join that waits for other members ends with its connection
    await this.#coordinator.stop();
    await running;
  }

  /** From what the leader has just shared out, which it knows and the others ask for: one rebalance is enough for all. */
  async #watchPartitions(leads: boolean): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    const joins = this.#joins;
    const { topics, metadataMaxAge } = this.#options;
    if (!leads) await this.#cluster.metadata(topics).catch(() => {});
    if (joins !== this.#joins || this.#state !== "member") return;
    this.#watch = new PartitionWatch(this.#cluster, topics, () => this.#rejoin.resolve(), metadataMaxAge);
  }

  #quiet(): void {
    clearInterval(this.#heartbeats);
    this.#watch?.close();
  }
}

const without = (all: readonly TopicPartition[], some: readonly TopicPartition[]) =>
  all.filter(({ topic, partition }) => !some.some((other) => other.topic === topic && other.partition === partition));

const groupFailed = (groupId: string, cause: unknown) =>
  new MillraceError({
    code: "GROUP_FAILED",
    what: `Membership of group "${groupId}" has ended: ${kafkaErrorOf(cause) ?? (cause as Error).message}`,
    cause,
  });
