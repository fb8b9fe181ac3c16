import type { TopicPartition } from "./columns.ts";
import type { Assignment, Subscription } from "./group-protocol.ts";

export interface Member extends Subscription {
  /** Its group.instance.id where it has one, so that a restart keeps its place; else its member id. */
  readonly name: string;
}

/** Partition `i` of all topics that the same members subscribe to: one task's input, which goes to one member as a whole. */
interface Unit {
  readonly index: number;
  readonly partitions: readonly TopicPartition[];
}

/** A member's share while it is made. */
interface Share {
  readonly partitions: TopicPartition[];
  readonly standby: Set<number>;
  readonly next: Set<number>;
}

/**
 * Who reads what, by member name: balanced, sticky (as few units move as balance allows), co-partitioned (partition `i` of all topics
 * stays together) and cooperative: what has to move is given to nobody in this round; its owner gives it up, and asks for the next.
 *
 * Where members keep standbys, a unit moves to a member whose copy of its state is up to date, and stays where it is until there is one: who is to
 * have it is told to make a copy first, and asks for the next round once that is done.
 */
export function assign(
  members: readonly Member[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, Assignment> {
  const sorted = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const owners = ownership(sorted);
  const byName = new Map(sorted.map((member) => [member.name, member]));
  const shares = new Map<string, Share>(
    sorted.map(({ name }) => [name, { partitions: [], standby: new Set(), next: new Set() }]),
  );
  for (const [subscribers, topics] of topicsBySubscribers(sorted)) {
    const group = subscribers.split("\n").map((name) => byName.get(name)!);
    const units = unitsOf(topics, partitionCounts);
    const ownerOf = ({ partitions }: Unit) =>
      partitions
        .map((one) => owners.get(key(one)))
        .find((name) => name !== undefined && group.some((m) => m.name === name));
    const copies = Math.min(Math.max(...group.map(({ replicas = 0 }) => replicas)), group.length - 1);
    const placed: Placed[] = [];
    for (const [name, wanted] of balance(group, units, ownerOf)) {
      for (const unit of wanted) {
        const owner = ownerOf(unit);
        const moves = owner !== undefined && owner !== name;
        const waits = moves && copies > 0 && (byName.get(name)!.replicas ?? 0) > 0 && !isWarm(byName.get(name)!, unit);
        const reader = waits ? owner : name;
        if (waits) shares.get(name)!.next.add(unit.index);
        if (unit.partitions.every((one) => (owners.get(key(one)) ?? reader) === reader))
          shares.get(reader)!.partitions.push(...unit.partitions);
        placed.push({ unit, owner, target: name, reader });
      }
    }
    if (copies > 0) placeStandbys(group, placed, copies, shares);
  }
  return new Map(
    [...shares].map(([name, { partitions, standby, next }]) => [
      name,
      { partitions, standby: [...standby].sort((a, b) => a - b), next: [...next].sort((a, b) => a - b) },
    ]),
  );
}

/** Where a unit goes. */
interface Placed {
  readonly unit: Unit;
  /** Who has it now. */
  readonly owner: string | undefined;
  /** Who is to have it. */
  readonly target: string;
  /** Who reads it once this round is done: the target, or the owner while the target makes its copy. */
  readonly reader: string;
}

/** Copies go to who is to read the unit next, then to those that have one, then to those with least; then they are spread as evenly as the units. */
function placeStandbys(
  group: readonly Member[],
  placed: readonly Placed[],
  copies: number,
  shares: Map<string, Share>,
): void {
  const able = group.filter(({ replicas = 0 }) => replicas > 0);
  const standby = (name: string) => shares.get(name)!.standby;
  const load = ({ name }: Member) => standby(name).size;
  for (const { unit, owner, target, reader } of [...placed].sort((a, b) => a.unit.index - b.unit.index)) {
    // while it moves its target reads nothing yet, and has to keep its copy
    if (target !== reader || (owner !== undefined && owner !== reader)) standby(target).add(unit.index);
    const others = able.filter(({ name }) => name !== reader && name !== target);
    const has = (member: Member) => Number(isWarm(member, unit) || member.name === owner);
    others.sort((a, b) => has(b) - has(a) || load(a) - load(b));
    for (const { name } of others.slice(0, copies)) standby(name).add(unit.index);
  }
  const movable = ({ name: from }: Member, { name: to }: Member) =>
    placed.find(
      ({ unit: { index }, target, reader }) =>
        standby(from).has(index) &&
        !standby(to).has(index) &&
        ![target, reader].some((one) => one === from || one === to),
    );
  for (;;) {
    const byLoad = [...able].sort((a, b) => load(a) - load(b));
    const pairs = byLoad.flatMap((to) => byLoad.map((from) => ({ from, to, one: movable(from, to) })).reverse());
    const best = pairs.find(({ from, to, one }) => one !== undefined && load(from) - load(to) > 1);
    if (best === undefined) return;
    standby(best.from.name).delete(best.one!.unit.index);
    standby(best.to.name).add(best.one!.unit.index);
  }
}

const isWarm = ({ warm = [] }: Member, { index }: Unit) => warm.includes(index);

/** Each member keeps what it has, up to its share; what is left over goes to those with a copy of its state, then to those with least. */
function balance(
  group: readonly Member[],
  units: readonly Unit[],
  ownerOf: (unit: Unit) => string | undefined,
): Map<string, Unit[]> {
  const kept = new Map<string, Unit[]>(group.map(({ name }) => [name, []]));
  const free: Unit[] = [];
  for (const unit of units) {
    const owner = ownerOf(unit);
    (owner === undefined ? free : kept.get(owner)!).push(unit);
  }
  const share = Math.floor(units.length / group.length);
  const longer = units.length % group.length; // that many members have one more
  let larger = longer;
  for (const units of [...kept.values()].sort((a, b) => b.length - a.length)) {
    const limit = units.length > share && larger > 0 ? share + 1 : share;
    if (limit > share) larger--;
    free.push(...units.splice(limit));
  }
  free.sort((a, b) => a.index - b.index);
  const size = (name: string) => kept.get(name)!.length;
  const hasRoom = (name: string) =>
    size(name) < share ||
    (size(name) === share && [...kept.values()].filter((has) => has.length > share).length < longer);
  const least = (names: readonly string[]) => names.reduce((a, b) => (size(b) < size(a) ? b : a));
  const names = group.map(({ name }) => name);
  const cold: Unit[] = [];
  for (const unit of free) {
    const warm = group.filter((member) => isWarm(member, unit) && hasRoom(member.name)).map(({ name }) => name);
    if (warm.length === 0) cold.push(unit);
    else kept.get(least(warm))!.push(unit);
  }
  for (const unit of cold) kept.get(least(names))!.push(unit);
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
