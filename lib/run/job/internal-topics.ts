import { Refusal } from "../../error.ts";
import { hash } from "../../plan/content-key.ts";

/** Kafka allows 249; the rest is for the job's name. */
const LONGEST = 100;

/**
 * The part of an internal topic's name that is the name of state: Kafka takes only ASCII letters, digits, `.`, `_` and `-`, and different names
 * have to stay different. `größe` is `gr-f6--df-e`.
 */
function topicPart(name: string): string {
  const part = name.replace(/[^A-Za-z0-9_-]/gu, (character) => `-${character.codePointAt(0)!.toString(16)}-`);
  return part.length <= LONGEST ? part : `${part.slice(0, LONGEST - 17)}-${hash(name)}`;
}

/** Where the changes of a store are kept. */
export const changelogTopic = (job: string, store: string): string => `${job}-${topicPart(store)}-changelog`;

/** Where rows go that are placed anew. */
export const repartitionTopic = (job: string, name: string): string => `${job}-${topicPart(name)}-repartition`;

/** @throws Refusal `NO_TABLE` when two stores would share a changelog */
export function refuseSharedTopics(stores: readonly { readonly name: string }[]): void {
  const taken = new Map<string, string>();
  for (const { name } of stores) {
    const other = taken.get(topicPart(name));
    if (other !== undefined)
      throw new Refusal({
        code: "NO_TABLE",
        what: `the states ${other} and ${name} would share the changelog of ${topicPart(name)}`,
        remedies: ["give the table another name"],
      });
    taken.set(topicPart(name), name);
  }
}
