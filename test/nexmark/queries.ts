import type polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { table } from "../../lib/frame/table.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { SCHEMAS } from "./events.ts";

/** A query of the benchmark as a program, and as SQL over all events. Times of the SQL are in ms. */
export interface Query {
  readonly name: string;
  readonly program: () => StreamFrame;
  /** Over tables person, auction, bid; `dateTime` in ms, `seq` the order of records. */
  readonly sql: string;
  /** Windows over windows are compared once they have closed: a record far later follows on every partition. */
  readonly close?: true;
  /** Of rows that are updates the last one per these columns counts. */
  readonly lastPer?: readonly string[];
}

const bid = topic("bid", { key: "auction", time: "dateTime", schema: SCHEMAS.bid });
const auction = topic("auction", { key: "id", time: "dateTime", schema: SCHEMAS.auction });
const person = topic("person", { key: "id", time: "dateTime", schema: SCHEMAS.person });

const price = pl.col("price");
const dateTime = pl.col("dateTime");
const ms = (column: string): polars.Expr => pl.col(column).cast(pl.Int64).alias(column);

/** The bids for an auction while it was open, with the auction's columns. Streams join within a time: here one that none exceeds. */
const validBids = bid
  .join(auction, { leftOn: "auction", rightOn: "id", within: { before: "1h" } })
  .filter(dateTime.ltEq(pl.col("expires")));
const VALID = `select b.*, a.category, a.seller, a.expires from bid b join auction a on b.auction = a.id
  where b.dateTime between a.dateTime and a.expires`;

const days = (by?: string) => bid.groupByDynamic({ indexColumn: "dateTime", every: "1d", ...(by && { by }) });
const inRange = (from: number, to: number) => price.gtEq(from).and(price.lt(to));
const RANKS = [
  ["rank1", inRange(0, 10_000), "price < 10000"],
  ["rank2", inRange(10_000, 1_000_000), "price >= 10000 and price < 1000000"],
] as const;
const counts = RANKS.map(([name, range]) => range.cast(pl.Int64).sum().alias(name));
const COUNTS = RANKS.map(([name, , sql]) => `count(*) filter (where ${sql}) as ${name}`).join(", ");

/** The best price of each bid auction so far, per category or seller: what queries 4 and 6 average. */
const best = (by: "category" | "seller") =>
  validBids.process({
    by,
    state: () => ({ best: new Map<number, { price: number; expires: number }>() }),
    schema: { average: "Float64" },
    onRow: (row, ctx) => {
      const { best } = ctx.state;
      const before = best.get(row.auction);
      if (before === undefined || row.price > before.price)
        best.set(row.auction, { price: row.price, expires: row.expires.getTime() });
      const last = [...best].sort(([i, a], [j, b]) => b.expires - a.expires || j - i);
      const chosen = by === "seller" ? last.slice(0, 10) : last;
      ctx.emit({ average: chosen.reduce((sum, [, { price }]) => sum + price, 0) / chosen.length });
    },
  });

const side = pl.DataFrame({ key: [0, 1, 2, 3], label: ["zero", "one", "two", "three"] }).withColumns(ms("key"));

export const QUERIES: readonly Query[] = [
  {
    name: "q0 pass through",
    program: () => bid.select("auction", "bidder", "price", ms("dateTime"), "extra"),
    sql: "select auction, bidder, price, dateTime, extra from bid",
  },
  {
    name: "q1 currency conversion",
    program: () => bid.select("auction", "bidder", price.multiplyBy(0.908).alias("price"), ms("dateTime")),
    sql: "select auction, bidder, price * 0.908::double as price, dateTime from bid",
  },
  {
    name: "q2 selection",
    program: () => bid.filter(pl.col("auction").modulo(7).eq(0)).select("auction", "price"),
    sql: "select auction, price from bid where auction % 7 = 0",
  },
  {
    name: "q3 local item suggestion",
    program: () =>
      auction
        .filter(pl.col("category").eq(10))
        .join(person, { leftOn: "seller", rightOn: "id", within: { before: "1h" } })
        .filter(pl.col("state").isIn(["OR", "ID", "CA"]))
        .select("name", "city", "state", "id"),
    sql: `select p.name, p.city, p.state, a.id from auction a join person p on a.seller = p.id
      where a.category = 10 and p.state in ('OR', 'ID', 'CA')`,
  },
  {
    name: "q4 average price per category",
    program: () => best("category"),
    lastPer: ["category"],
    sql: `select category, avg(best) as average from
      (select auction, category, max(price) as best from (${VALID}) group by all) group by category`,
  },
  {
    name: "q5 hot items",
    close: true,
    program: () => {
      const n = pl.col("n");
      return bid
        .groupByDynamic({ indexColumn: "dateTime", every: "2s", period: "10s", by: "auction" })
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .groupByDynamic({ indexColumn: "_time", every: "2s" })
        .agg(n.max().alias("n"), pl.col("auction").filter(n.eq(n.max())).min().alias("auction"))
        .select(pl.col("window_end").cast(pl.Int64).alias("end"), "n", "auction");
    },
    sql: `with hops as (select auction, unnest(generate_series(dateTime // 2000 * 2000 + 2000, dateTime // 2000 * 2000 + 10000, 2000)) as "end"
        from bid),
      counted as (select "end", auction, count(*) as n from hops group by all)
      select "end", n, min(auction) as auction from counted c where n = (select max(n) from counted d where d."end" = c."end") group by all`,
  },
  {
    name: "q6 average selling price by seller, of the last 10 auctions",
    program: () => best("seller"),
    lastPer: ["seller"],
    sql: `with sold as (select auction, seller, expires, max(price) as best from (${VALID}) group by all),
      ranked as (select *, row_number() over (partition by seller order by expires desc, auction desc) as place from sold)
      select seller, avg(best) as average from ranked where place <= 10 group by seller`,
  },
  {
    name: "q7 highest bid",
    program: () =>
      bid
        .groupByDynamic({ indexColumn: "dateTime", every: "10s" })
        .agg(price.max().alias("price"), pl.col("bidder").filter(price.eq(price.max())).min().alias("bidder"))
        .select(pl.col("window_end").cast(pl.Int64).alias("end"), "price", "bidder"),
    sql: `with w as (select *, dateTime // 10000 * 10000 + 10000 as "end" from bid)
      select "end", price, min(bidder) as bidder from w where price = (select max(price) from w v where v."end" = w."end") group by all`,
  },
  {
    name: "q8 monitor new users",
    program: () => {
      const window = (column: string) => pl.col(column).dt.truncate("10s");
      return auction
        .join(person, { leftOn: "seller", rightOn: "id", within: { before: "10s" } })
        .filter(window("dateTime").eq(window("dateTime_right")))
        .withColumns(window("dateTime").cast(pl.Int64).alias("start"))
        .unique({ subset: ["seller", "start"] })
        .select(pl.col("seller").alias("id"), "name", "start");
    },
    sql: `select distinct p.id, p.name, p.dateTime // 10000 * 10000 as start from person p join auction a
      on a.seller = p.id and a.dateTime // 10000 = p.dateTime // 10000 and a.dateTime >= p.dateTime`,
  },
  {
    name: "q9 winning bids",
    program: () =>
      validBids.process({
        by: "auction",
        state: { price: 0 },
        schema: { price: "Int64", bidder: "Int64" },
        onRow: (row, ctx) => {
          if (row.price <= ctx.state.price) return;
          ctx.state.price = row.price;
          ctx.emit({ price: row.price, bidder: row.bidder });
        },
      }),
    lastPer: ["auction"],
    sql: `select auction, price, bidder from
      (select *, row_number() over (partition by auction order by price desc, dateTime) as place from (${VALID})) where place = 1`,
  },
  {
    name: "q11 user sessions",
    program: () =>
      bid
        .groupBySession({ indexColumn: "dateTime", gap: "2s", by: "bidder" })
        .agg(pl.len().cast(pl.Int64).alias("n"), dateTime.min().cast(pl.Int64).alias("start"))
        .select("bidder", "n", "start"),
    sql: `with marked as (select bidder, dateTime,
        case when dateTime - lag(dateTime) over w < 2000 then 0 else 1 end as begins from bid window w as (partition by bidder order by dateTime)),
      numbered as (select *, sum(begins) over (partition by bidder order by dateTime) as session from marked)
      select bidder, count(*) as n, min(dateTime) as start from numbered group by bidder, session`,
  },
  {
    name: "q12 windows of the record's own time",
    program: () =>
      topic("bid", { key: "auction", schema: SCHEMAS.bid })
        .groupByDynamic({ indexColumn: "_time", every: "10s", by: "bidder" })
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .select("bidder", "n", pl.col("window_start").cast(pl.Int64).alias("start")),
    sql: "select bidder, count(*) as n, dateTime // 10000 * 10000 as start from bid group by all",
  },
  {
    name: "q13 bounded side input",
    program: () =>
      bid
        .withColumns(pl.col("auction").modulo(4).cast(pl.Int64).alias("key"))
        .join(table(side), { on: "key" })
        .select("auction", "bidder", "price", ms("dateTime"), "label"),
    sql: `select auction, bidder, price, dateTime, ['zero', 'one', 'two', 'three'][1 + auction % 4] as label from bid`,
  },
  {
    name: "q14 calculation",
    program: () => {
      const hour = dateTime.dt.hour();
      return bid.filter(price.multiplyBy(0.908).gt(1000).and(price.multiplyBy(0.908).lt(500_000))).select(
        "auction",
        price.multiplyBy(0.908).alias("price"),
        pl
          .when(hour.gtEq(8).and(hour.ltEq(18)))
          .then(pl.lit("dayTime"))
          .when(hour.ltEq(6).or(hour.gtEq(20)))
          .then(pl.lit("nightTime"))
          .otherwise(pl.lit("otherTime"))
          .alias("part"),
        pl.col("extra").str.split("c").list.lengths().cast(pl.Int64).minus(1).alias("c"),
      );
    },
    sql: `select auction, price * 0.908::double as price,
      case when h between 8 and 18 then 'dayTime' when h <= 6 or h >= 20 then 'nightTime' else 'otherTime' end as part,
      length(extra) - length(replace(extra, 'c', '')) as c
      from (select *, (dateTime // 3600000) % 24 as h from bid) where price * 0.908::double > 1000 and price * 0.908::double < 500000`,
  },
  {
    name: "q15 bidding statistics per day",
    program: () =>
      days()
        .agg(
          pl.len().cast(pl.Int64).alias("bids"),
          ...counts,
          pl.col("bidder").nUnique().cast(pl.Int64).alias("bidders"),
          pl.col("bidder").filter(RANKS[0][1]).nUnique().cast(pl.Int64).alias("bidders1"),
          pl.col("auction").nUnique().cast(pl.Int64).alias("auctions"),
        )
        .drop("window_end")
        .withColumns(ms("window_start")),
    sql: `select dateTime // 86400000 * 86400000 as window_start, count(*) as bids, ${COUNTS}, count(distinct bidder) as bidders,
      count(distinct bidder) filter (where ${RANKS[0][2]}) as bidders1, count(distinct auction) as auctions from bid group by 1`,
  },
  {
    name: "q16 channel statistics per day",
    program: () =>
      days("channel")
        .agg(
          dateTime.max().dt.strftime("%H:%M").alias("minute"),
          pl.len().cast(pl.Int64).alias("bids"),
          ...counts,
          pl.col("bidder").nUnique().cast(pl.Int64).alias("bidders"),
        )
        .drop("window_end")
        .withColumns(ms("window_start")),
    sql: `select channel, dateTime // 86400000 * 86400000 as window_start, strftime(epoch_ms(max(dateTime)), '%H:%M') as minute,
      count(*) as bids, ${COUNTS}, count(distinct bidder) as bidders from bid group by 1, 2`,
  },
  {
    name: "q17 auction statistics per day",
    program: () =>
      days("auction")
        .agg(
          pl.len().cast(pl.Int64).alias("bids"),
          ...counts,
          price.min().alias("min"),
          price.max().alias("max"),
          price.mean().alias("mean"),
          price.sum().alias("sum"),
        )
        .drop("window_end")
        .withColumns(ms("window_start")),
    sql: `select auction, dateTime // 86400000 * 86400000 as window_start, count(*) as bids, ${COUNTS}, min(price) as min, max(price) as max,
      avg(price) as mean, sum(price)::bigint as sum from bid group by 1, 2`,
  },
  {
    name: "q18 last bid of each bidder for each auction",
    program: () =>
      bid
        .groupBy("bidder", "auction")
        .agg(price.last().alias("price"), dateTime.last().cast(pl.Int64).alias("dateTime")),
    lastPer: ["bidder", "auction"],
    sql: `select bidder, auction, arg_max(price, dateTime) as price, max(dateTime) as dateTime from bid group by bidder, auction`,
  },
  {
    name: "q19 top 10 bids of each auction",
    program: () =>
      bid.process({
        by: "auction",
        state: { top: [] as number[] },
        schema: { top: "Utf8" },
        onRow: (row, ctx) => {
          ctx.state.top = [...ctx.state.top, row.price].sort((a, b) => b - a).slice(0, 10);
          ctx.emit({ top: ctx.state.top.join(" ") });
        },
      }),
    lastPer: ["auction"],
    sql: `select auction, array_to_string(list(price order by price desc)[:10], ' ') as top from bid group by auction`,
  },
  {
    name: "q20 bids with their auctions",
    program: () =>
      bid
        .join(auction, { leftOn: "auction", rightOn: "id", within: { before: "1h" } })
        .filter(pl.col("category").eq(10))
        .select("auction", "bidder", "price", "itemName", "seller"),
    sql: `select b.auction, b.bidder, b.price, a.itemName, a.seller from bid b join auction a on b.auction = a.id where a.category = 10`,
  },
  {
    name: "q22 directories of urls",
    program: () => {
      const part = (n: number) => pl.col("url").str.split("/").list.get(n);
      return bid.select("auction", "channel", part(3).alias("dir1"), part(4).alias("dir2"), part(5).alias("dir3"));
    },
    sql: `select auction, channel, split_part(url, '/', 4) as dir1, split_part(url, '/', 5) as dir2, split_part(url, '/', 6) as dir3 from bid`,
  },
];
