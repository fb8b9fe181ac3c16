/** Told apart also by people who confuse red and green (Okabe and Ito, then Tol), on white and on dark. */
export const COLOURS: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#8c8c8c",
  "#b8a200",
  "#aa4499",
  "#44aa99",
];

/** Viridis, from nothing to most. */
const SCALE = [
  "#440154",
  "#482878",
  "#3e4989",
  "#31688e",
  "#26828e",
  "#1f9e89",
  "#35b779",
  "#6ece58",
  "#b5de2b",
  "#fde725",
];

/** @param share from 0 to 1 */
export const shade = (share: number): string =>
  SCALE[Math.min(SCALE.length - 1, Math.max(0, Math.floor(share * SCALE.length)))]!;
