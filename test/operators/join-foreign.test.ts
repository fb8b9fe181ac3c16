import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { table, topic } from "../../lib/frame/index.ts";
import { pl } from "../../lib/plan/pl.ts";
import type { Schema } from "../../lib/schema.ts";
import { driver } from "../../lib/test/driver.ts";
import { Dice } from "./fuzz/dice.ts";
import { runs, seed } from "./random-rows.ts";

const ORDER: Schema = { id: "Utf8", product: "Utf8", amount: "Int64" };
const PRODUCT: Schema = { product: "Utf8", price: "Int64" };
const orders = table("orders", { key: "id", schema: ORDER });
const products = table("products", { key: "product", schema: PRODUCT });

test("an order's row follows its product, and changes of product, on either side", async () => {
  const run = driver(orders.join(products, { on: "product", how: "left" }), { partitions: 2 });
  const shown = () => run.take().split("\n").slice(1);
  await run.feed("products", [
    { product: "pen", price: 2 },
    { product: "cup", price: 5 },
  ]);
  await run.feed("orders", [
    { id: "o1", product: "pen", amount: 1 },
    { id: "o2", product: "pen", amount: 3 },
    { id: "o3", product: null, amount: 1 },
  ]);
  await run.end();
  assert.deepEqual(
    shown().sort(),
    ["o1  pen           1      2", "o2  pen           3      2", "o3  -             1      -"].sort(),
  );
  await run.feed("products", [{ product: "pen", price: 4 }]);
  await run.end();
  assert.deepEqual(shown().sort(), ["o1  pen           1      4", "o2  pen           3      4"]);
  await run.feed("orders", [{ id: "o1", product: "cup", amount: 1 }]);
  await run.feed("products", [{ product: "pen", price: 9 }]);
  await run.end();
  assert.deepEqual(shown().sort(), ["o1  cup           1      5", "o2  pen           3      9"]);
});

test(`the last row per key is that of Polars' join, however changes are split and partitions interleaved (seed ${seed})`, async () => {
  for (let i = 0; i < runs(8); i++) {
    const dice = new Dice(seed + i);
    for (const how of ["inner", "left"] as const) {
      const program = orders.join(products, { leftOn: "product", rightOn: "product", how });
      const changes = Array.from({ length: 60 }, () => {
        const gone = dice.chance(0.15);
        return dice.chance(0.6)
          ? {
              name: "orders",
              record: {
                id: `o${dice.int(0, 6)}`,
                ...(gone
                  ? { _gone: true }
                  : { product: dice.pick(["pen", "cup", "ключ", null]), amount: dice.int(0, 9) }),
              },
            }
          : {
              name: "products",
              record: {
                product: dice.pick(["pen", "cup", "ключ"]),
                ...(gone ? { _gone: true } : { price: dice.int(0, 99) }),
              },
            };
      });
      const newest = (name: string, key: string) => {
        const rows = new Map<string, any>();
        for (const change of changes)
          if (change.name === name)
            rows.set((change.record as any)[key], "_gone" in change.record ? undefined : change.record);
        return [...rows.values()].filter((row) => row !== undefined);
      };
      const tested = driver(program, { partitions: 3 });
      for (let at = 0; at < changes.length; ) {
        const { name } = changes[at]!;
        const piece: any[] = [];
        while (at < changes.length && changes[at]!.name === name && piece.length < dice.int(1, 5))
          piece.push(changes[at++]!.record);
        await tested.feed(
          name,
          piece.map(({ _gone, ...record }) => (_gone ? { _key: record.id ?? record.product, _value: null } : record)),
        );
      }
      await tested.end();
      assert.deepEqual(tested.bad, []);
      const last = new Map<string, any>();
      for (const row of tested.rows().toRecords() as any[]) last.set(row.id, row);
      const actual = [...last.values()]
        .filter((row) => !row._delete)
        .map((row) => [row.id, row.product, Number(row.amount), row.price === null ? null : Number(row.price)]);
      const left = polars.DataFrame(newest("orders", "id"), {
        schema: { id: polars.Utf8, product: polars.Utf8, amount: polars.Int64 },
      } as never);
      const right = polars.DataFrame(newest("products", "product"), {
        schema: { product: polars.Utf8, price: polars.Int64 },
      } as never);
      const expected = (left.join(right, { on: "product", how }) as polars.DataFrame)
        .rows()
        .map(([id, product, amount, price]) => [id, product, Number(amount), price === null ? null : Number(price)]);
      assert.deepEqual(actual.sort(), expected.sort(), `seed ${seed + i}, ${how}`);
    }
  }
});

test("a table joined so is a table: its key is that of the left one; explain says what goes everywhere", async () => {
  const owners = table("owners", { key: "id", schema: { id: "Utf8", owner: "Utf8" } });
  const both = orders.join(products, { on: "product" }).join(owners, { on: "id", how: "left" });
  const run = driver(both, { partitions: 2 });
  await run.feed("orders", [{ id: "o1", product: "pen", amount: 1 }]);
  await run.feed("owners", [{ id: "o1", owner: "ann" }]);
  await run.feed("products", [{ product: "pen", price: 2 }]);
  await run.end();
  assert.deepEqual(run.table().split("\n").at(-1), "o1  pen           1      2  ann");
  assert.match(both.explain(), /the right table goes to every partition/);
});

test("joins of tables by anything else are refused with what works", () => {
  assert.throws(() => products.join(orders, { on: "product" }), {
    code: "NEEDS_REPARTITION",
    message: /put the table whose column holds the other's key on the left/,
  });
  assert.throws(() => orders.join(products, { on: "product", how: "full" }), { code: "NO_EXACT_STREAMING_MEANING" });
  assert.ok(topic("orders", { key: "id" }).join(products, { on: "product", latest: true }));
  assert.ok(pl);
});
