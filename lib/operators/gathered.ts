import pl from "nodejs-polars";

const AT = "§at";

/** The rows at these places, in this order; a place below 0 gives a row of nulls. */
export function gathered(frame: pl.DataFrame, places: ArrayLike<number>): pl.DataFrame {
  const at = pl.DataFrame([index(Float64Array.from(places))]);
  const numbered = frame.hstack([index(Float64Array.from({ length: frame.height }, (_, i) => i))]);
  return (at.join(numbered as unknown as pl.DataFrame, { on: AT, how: "left" }) as pl.DataFrame).drop(AT);
}

function index(places: Float64Array): pl.Series {
  return pl.Series(AT, places).cast(pl.Int64);
}
