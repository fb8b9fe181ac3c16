import { concat, param, type StreamFrame, table, topic } from "../../lib/frame/index.ts";
import { pl } from "../../lib/plan/pl.ts";
import type { Schema } from "../../lib/schema.ts";

interface Records {
  readonly frame: StreamFrame;
  readonly schema: Schema;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

const opened = (name: string, key: string, schema: Schema, records: Records["records"]): Records => ({
  frame: topic(name, { key, time: "timestamp", schema }),
  schema,
  records,
});

/** The topics that examples name, and what they hold. */
export const TOPICS: Readonly<Record<string, Records>> = {
  phone: opened(
    "phone",
    "device",
    { device: "Utf8", timestamp: "Datetime(ms)", gForceX: "Float64", gForceY: "Float64" },
    [
      { device: "a", timestamp: 0, gForceX: 0.5, gForceY: 1 },
      { device: "b", timestamp: 400, gForceX: 3, gForceY: 4 },
      { device: "a", timestamp: 900, gForceX: 2.5, gForceY: 0 },
      { device: "a", timestamp: 1500, gForceX: -1, gForceY: 2 },
      { device: "b", timestamp: 700, gForceX: 1, gForceY: 1 },
      { device: "b", timestamp: 2600, gForceX: 0, gForceY: 0 },
    ],
  ),
  messages: opened(
    "messages",
    "user",
    { user: "Utf8", timestamp: "Datetime(ms)", text: "Utf8", likes: "List(Int64)" },
    [
      { user: "ann", timestamp: 0, text: "good morning", likes: [1, 2] },
      { user: "bob", timestamp: 10, text: "hi", likes: [] },
    ],
  ),
  orders: opened("orders", "order", { order: "Utf8", timestamp: "Datetime(ms)", customer: "Utf8", amount: "Float64" }, [
    { order: "o1", timestamp: 0, customer: "ann", amount: 20 },
    { order: "o2", timestamp: 1000, customer: "bob", amount: 5 },
    { order: "o1", timestamp: 2000, customer: "ann", amount: 20 },
    { order: "o3", timestamp: 3000, customer: "ann", amount: 7.5 },
  ]),
  clicks: opened("clicks", "order", { order: "Utf8", timestamp: "Datetime(ms)", page: "Utf8" }, [
    { order: "o1", timestamp: 100, page: "/pay" },
    { order: "o9", timestamp: 200, page: "/help" },
    { order: "o2", timestamp: 5000, page: "/pay" },
    { order: "o2", timestamp: 60_000, page: "/late" },
  ]),
  visits: opened("visits", "user", { user: "Utf8", timestamp: "Datetime(ms)", page: "Utf8" }, [
    { user: "ann", timestamp: 0, page: "/" },
    { user: "ann", timestamp: 60_000, page: "/shop" },
    { user: "bob", timestamp: 90_000, page: "/" },
    { user: "ann", timestamp: 7_200_000, page: "/" },
  ]),
  ticks: opened("ticks", "symbol", { symbol: "Utf8", timestamp: "Datetime(ms)", price: "Float64", volume: "Int64" }, [
    { symbol: "XYZ", timestamp: 0, price: 10, volume: 1 },
    { symbol: "XYZ", timestamp: 5, price: 11, volume: 2 },
    { symbol: "XYZ", timestamp: 6, price: 12, volume: 4 },
  ]),
  trades: opened("trades", "symbol", { symbol: "Utf8", timestamp: "Datetime(ms)", price: "Float64" }, [
    { symbol: "XYZ", timestamp: 1000, price: 10 },
    { symbol: "XYZ", timestamp: 9000, price: 12 },
  ]),
  quotes: opened("quotes", "symbol", { symbol: "Utf8", timestamp: "Datetime(ms)", bid: "Float64" }, [
    { symbol: "XYZ", timestamp: 500, bid: 9.5 },
    { symbol: "XYZ", timestamp: 9500, bid: 11 },
  ]),
};

const phone = TOPICS.phone!.frame;

/** Every name that an example may use without saying what it is. */
export const NAMES: Readonly<Record<string, unknown>> = {
  pl,
  topic,
  table,
  param,
  concat,
  ...Object.fromEntries(Object.entries(TOPICS).map(([name, { frame }]) => [name, frame])),
  total: phone.withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).alias("gForceTotal")),
  perSecond: phone.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.len().alias("n")),
};
