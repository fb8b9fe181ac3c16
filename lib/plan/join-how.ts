/** How rows without a partner are treated; as in Polars. `semi` and `anti` give left rows only: those with a partner, those without. */
export type JoinHow = "inner" | "left" | "right" | "full" | "semi" | "anti";
