import pl from "nodejs-polars";

/** One row of nulls, with the columns and dtypes of a frame. */
export function nullRow(frame: pl.DataFrame): pl.DataFrame {
  const { columns, dtypes } = frame;
  const nothing = pl.lit(null as unknown as number);
  return pl
    .DataFrame({ "§": [1] })
    .select(
      ...columns.map((name, i) => (dtypes[i]!.variant === "Null" ? nothing : nothing.cast(dtypes[i]!)).alias(name)),
    );
}
