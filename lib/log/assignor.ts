import type { TopicPartition } from "./columns.ts";
import type { Subscription } from "./group-protocol.ts";

export interface Member extends Subscription {
  /** Its group.instance.id where it has one, so that a restart keeps its place; else its member id. */
  readonly name: string;
}

/** Partition `i` of all topics that the same members subscribe to: one task's input, which goes to one member as a whole. */
interface Unit {
  readonly index: number;
  readonly partitions: readonly TopicPartition[];
}

/**
 * Who reads what, by member name: balanced, sticky (as few units move as balance allows), co-partitioned (partition `i` of all topics
 * stays together) and cooperative: what has to move is given to nobody in this round; its owner gives it up, and asks for the next.
 */
export function assign(
  members: readonly Member[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const owners = ownership(sorted);
  const assignment = new Map<string, TopicPartition[]>(sorted.map(({ name }) => [name, []]));
  for (const [subscribers, topics] of topicsBySubscribers(sorted)) {
    const names = subscribers.split("\n");
    for (const [name, units] of balance(names, unitsOf(topics, partitionCounts), owners)) {
      const given = units.filter((unit) =>
        unit.partitions.every((partition) => (owners.get(key(partition)) ?? name) === name),
      );
      assignment.get(name)!.push(...given.flatMap(({ partitions }) => partitions));
    }
  }
  return assignment;
}

/** Each member keeps what it has, up to its share; what is left over goes to those with least. */
function balance(
  names: readonly string[],
  units: readonly Unit[],
  owners: ReadonlyMap<string, string>,
): Map<string, Unit[]> {
  const kept = new Map<string, Unit[]>(names.map((name) => [name, []]));
  const free: Unit[] = [];
  for (const unit of units) {
    const owner = unit.partitions
      .map((partition) => owners.get(key(partition)))
      .find((name) => name !== undefined && kept.has(name));
    (owner === undefined ? free : kept.get(owner)!).push(unit);
  }
  const share = Math.floor(units.length / names.length);
  let larger = units.length % names.length; // that many members have one more
  for (const units of [...kept.values()].sort((a, b) => b.length - a.length)) {
    const limit = units.length > share && larger > 0 ? share + 1 : share;
    if (limit > share) larger--;
    free.push(...units.splice(limit));
  }
  free.sort((a, b) => a.index - b.index);
  for (const unit of free) {
    const least = names.reduce((a, b) => (kept.get(b)!.length < kept.get(a)!.length ? b : a));
    kept.get(least)!.push(unit);
  }
  return kept;
}

/** The owner of each partition; a claim from a later generation outdoes an earlier one, equal claims cancel out. */
function ownership(members: readonly Member[]): Map<string, string> {
  const claims = new Map<string, { name: string | undefined; generation: number }>();
  for (const { name, owned, generation } of members) {
    for (const partition of owned) {
      const earlier = claims.get(key(partition));
      if (earlier === undefined || generation > earlier.generation) claims.set(key(partition), { name, generation });
      else if (generation === earlier.generation) earlier.name = undefined;
    }
  }
  const owners = new Map<string, string>();
  for (const [partition, { name }] of claims) if (name !== undefined) owners.set(partition, name);
  return owners;
}

/** Topics that the same members subscribe to; the key is the names of those members, by line. */
function topicsBySubscribers(members: readonly Member[]): Map<string, string[]> {
  const topics = [...new Set(members.flatMap(({ topics }) => topics))].sort();
  return Map.groupBy(topics, (topic) =>
    members
      .filter((member) => member.topics.includes(topic))
      .map(({ name }) => name)
      .join("\n"),
  );
}

function unitsOf(topics: readonly string[], partitionCounts: ReadonlyMap<string, number>): Unit[] {
  const count = Math.max(...topics.map((topic) => partitionCounts.get(topic) ?? 0));
  return Array.from({ length: count }, (_, index) => ({
    index,
    partitions: topics
      .filter((topic) => index < (partitionCounts.get(topic) ?? 0))
      .map((topic) => ({ topic, partition: index })),
  }));
}

const key = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
