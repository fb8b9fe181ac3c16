import pl from "nodejs-polars";
import type { Workload } from "./workloads.ts";

const TOLERANCE = 1e-9;

/**
 * Throws unless the rows a peer wrote are those of batch Polars: the same rows in the same order per device (floats to 1e-9 relative), each
 * device in its own partition. `expected` comes from {@link Workload.expected}.
 */
export function checkOutput(
  workload: Pick<Workload, "output" | "order">,
  written: pl.DataFrame,
  expected: pl.DataFrame,
): void {
  if (written.height !== expected.height)
    throw new Error(`${written.height} rows were written, batch Polars makes ${expected.height}`);
  const partitions = written.groupBy("device").agg(pl.col("partition").nUnique().alias("partitions"));
  if (partitions.filter(pl.col("partitions").gt(1)).height > 0)
    throw new Error("rows of one device were written to several partitions");
  const names = ["device", ...Object.keys(workload.output)];
  const ours = ordered(workload, written).select(...names);
  const theirs = ordered(workload, expected).select(...names.map((name) => pl.col(name).alias(`${name}_expected`)));
  const both = pl.concat([ours, theirs], { how: "horizontal" });
  for (const name of names) {
    const [a, b] = [pl.col(name), pl.col(`${name}_expected`)];
    const close =
      workload.output[name] === "Float64"
        ? a
            .minus(b)
            .abs()
            .ltEq(pl.when(a.abs().gt(b.abs())).then(a.abs()).otherwise(b.abs()).multiplyBy(TOLERANCE))
        : a.eq(b);
    const bothNull = a.isNull().and(b.isNull());
    const wrong = both.filter(close.fillNull(false).or(bothNull).not());
    if (wrong.height > 0)
      throw new Error(
        `column ${name} differs from batch Polars in ${wrong.height} of ${both.height} rows; first: ${JSON.stringify(wrong.head(1).toRecords()[0])}`,
      );
  }
}

/** By device, and within a device in the order written (or by the workload's own order, where rows come in no fixed one). */
function ordered(workload: Pick<Workload, "order">, rows: pl.DataFrame): pl.DataFrame {
  const numbered = rows.withRowIndex("position");
  return numbered.sort(["device", workload.order ?? "position"]);
}
