import assert from "node:assert/strict";
import test from "node:test";
import { newSeed, seeded } from "../../support/seeded.ts";
import { connect, jobUnderTest, produce, readAll, untilOpened } from "./support.ts";

test("a foreign-key join of two tables in a job, one in CSV and with deleted rows: its topic is the table that both make, over kill -9", {
  timeout: 180_000,
}, async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const pick = (most: number) => Math.floor(random() * most);
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { script: "foreign-job.ts" });
  const products = `${job.input}-products`;
  await cluster.createTopic(products, { partitions: 3, config: { "retention.ms": "-1" } });
  const env = { TEST_PRODUCTS: products };
  const [orders, prices] = [new Map<string, any>(), new Map<string, any>()];
  const change = async () => {
    for (let i = 0; i < 20; i++) {
      const [id, product] = [`o${pick(12)}`, `p${pick(4)}`];
      const [order, price] = [
        { id, product, amount: pick(9) },
        { product: `p${pick(5)}`, price: pick(99) },
      ];
      orders.set(id, order);
      await produce(cluster, job.input, [{ key: id, text: JSON.stringify(order) }]);
      const gone = pick(6) === 0;
      if (gone) prices.delete(price.product);
      else prices.set(price.product, price.price);
      await produce(cluster, products, [{ key: price.product, text: gone ? null : `${price.product},${price.price}` }]);
    }
  };
  await change();
  const killed = await job.start([], { ...env, MILLRACE_COMMIT_INTERVAL: "50ms" });
  await untilOpened(killed);
  await change();
  killed.child.kill("SIGKILL");
  await killed.ended;
  await change();
  await job.toEnd(env);

  const last = new Map<string, any>();
  for (const { key, value } of await readAll(cluster, `${job.output}-priced`)) last.set(key!, value);
  const actual = [...last.values()]
    .filter((row) => row !== null)
    .map((row) => [row.id, row.product, row.amount, row.price]);
  const expected = [...orders.values()]
    .filter(({ product }) => prices.has(product))
    .map(({ id, product, amount }) => [id, product, amount, prices.get(product)]);
  assert.deepEqual(actual.sort(), expected.sort());
});
