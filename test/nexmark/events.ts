import type { Schema } from "../../lib/schema.ts";
import { seeded } from "../support/seeded.ts";

/** The three streams of the Nexmark benchmark; times are strictly increasing over all of them, ms. */
export interface Events {
  readonly person: readonly Record<string, unknown>[];
  readonly auction: readonly Record<string, unknown>[];
  readonly bid: readonly Record<string, unknown>[];
}

export type Stream = keyof Events;

export const SCHEMAS: Readonly<Record<Stream, Schema>> = {
  person: { id: "Int64", name: "Utf8", city: "Utf8", state: "Utf8", dateTime: "Datetime(ms)" },
  auction: {
    id: "Int64",
    itemName: "Utf8",
    initialBid: "Int64",
    reserve: "Int64",
    dateTime: "Datetime(ms)",
    expires: "Datetime(ms)",
    seller: "Int64",
    category: "Int64",
  },
  bid: {
    auction: "Int64",
    bidder: "Int64",
    price: "Int64",
    channel: "Utf8",
    url: "Utf8",
    dateTime: "Datetime(ms)",
    extra: "Utf8",
  },
};

const STATES = ["OR", "ID", "CA", "WA", "WY"];
const CHANNELS = ["Google", "Facebook", "Baidu", "Apple"];
const START = Date.parse("2026-03-01T23:59:20Z");
/** Of 50 events one is a person and three are auctions, as in the original. */
const ROUND = 50;

/** As the original generator: people come, sellers among them open auctions, bids are mostly for a few hot auctions. */
export function nexmarkEvents(seed: number, count: number): Events {
  const random = seeded(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const events = { person: [], auction: [], bid: [] } as Record<Stream, Record<string, unknown>[]>;
  let time = START;
  for (let n = 0; n < count; n++) {
    time += 1 + below(60);
    const place = n % ROUND;
    if (place === 0) {
      const id = 1000 + events.person.length;
      events.person.push({
        id,
        name: `person ${id}`,
        city: pick(["Boise", "Bend"]),
        state: pick(STATES),
        dateTime: time,
      });
    } else if (place < 4 || events.auction.length === 0) {
      const initialBid = 1 + below(100);
      events.auction.push({
        id: 5000 + events.auction.length,
        itemName: `item ${below(1000)}`,
        initialBid,
        reserve: initialBid + below(500),
        dateTime: time,
        expires: time + 500 + below(8000),
        seller: (pick(events.person.slice(-5)) as { id: number }).id,
        category: 10 + below(5),
      });
    } else {
      const known = events.auction.slice(-8) as { id: number }[];
      events.bid.push({
        auction: (random() < 0.5 ? known.at(-1)! : pick(known)).id,
        bidder: (pick(events.person.slice(-12)) as { id: number }).id,
        price: 1 + Math.floor(10 ** (random() * 6)),
        channel: pick(CHANNELS),
        url: `https://www.nexmark.com/${pick(["a", "bc", "def"])}/${pick(["x", "yz"])}/item.htm?query=1`,
        dateTime: time,
        extra: Array.from({ length: below(12) }, () => pick(["a", "b", "c"])).join(""),
      });
    }
  }
  return events;
}
