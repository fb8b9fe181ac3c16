/** Where the cursor of a grid is, in rows and columns of all there is, not of what is on screen. */
export interface GridPlace {
  readonly row: number;
  readonly column: number;
}

/**
 * Where a key moves the cursor of a grid, as the ARIA practices have it: arrows by one cell, Page Up and Down by a screen, Home and End within
 * the row, with Control to the first and last row. Undefined for a key that means nothing here.
 * @param page rows of a screen
 */
export function moved(
  { key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent,
  at: GridPlace,
  page: number,
  rows: number,
  columns: number,
): GridPlace | undefined {
  if (altKey || shiftKey || rows === 0 || columns === 0) return undefined;
  const all = ctrlKey || metaKey;
  const to = step(key, all, at, page, rows, columns);
  if (to === undefined) return undefined;
  const within = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
  return { row: within(to.row, rows), column: within(to.column, columns) };
}

function step(
  key: string,
  all: boolean,
  { row, column }: GridPlace,
  page: number,
  rows: number,
  columns: number,
): GridPlace | undefined {
  switch (key) {
    case "ArrowUp":
      return { row: all ? 0 : row - 1, column };
    case "ArrowDown":
      return { row: all ? rows - 1 : row + 1, column };
    case "ArrowLeft":
      return { row, column: all ? 0 : column - 1 };
    case "ArrowRight":
      return { row, column: all ? columns - 1 : column + 1 };
    case "PageUp":
      return { row: row - page, column };
    case "PageDown":
      return { row: row + page, column };
    case "Home":
      return { row: all ? 0 : row, column: 0 };
    case "End":
      return { row: all ? rows - 1 : row, column: columns - 1 };
    default:
      return undefined;
  }
}
