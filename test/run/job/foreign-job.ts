import { table } from "../../../lib/index.ts";
import { job } from "../../../lib/job.ts";

// A job as `millrace promote` makes it: a table joined with another, in CSV, by a foreign key.
const [orders, products, output] = ["TEST_INPUT", "TEST_PRODUCTS", "TEST_OUTPUT"].map(
  (name) => process.env[name] as string,
);
const main = job({
  name: "foreign-job",
  schemas: {
    [orders!]: { id: "Utf8", product: "Utf8", amount: "Int64" },
    [products!]: { product: "Utf8", price: "Int64" },
  },
});
table(orders!, { key: "id" })
  .join(table(products!, { key: "product", format: "csv" }), { on: "product", how: "inner" })
  .to(`${output}-priced`, { key: "id" });

await main.run();
