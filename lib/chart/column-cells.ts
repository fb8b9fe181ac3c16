import pl from "nodejs-polars";

export const NUMBER = /^(U?Int\d+|Float\d+)$/;

/** Values as a chart takes them: numbers, instants as ms since the epoch, everything else as text. */
export function columnCells(series: pl.Series): (number | string | null)[] {
  const { variant } = series.dtype;
  const plain =
    variant === "Datetime" || variant === "Date"
      ? series.cast(pl.Datetime("ms")).cast(pl.Int64)
      : NUMBER.test(variant)
        ? series
        : series.cast(pl.Utf8);
  return (plain.toArray() as (number | bigint | string | null)[]).map((cell) =>
    typeof cell === "bigint" ? Number(cell) : cell,
  );
}
