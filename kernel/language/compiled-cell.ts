/** What the language service makes of a cell. When `diagnostics` is not empty the cell is not to be run. */
export interface CompiledCell {
  readonly source: string;
  readonly javaScript: string;
  /** Source map of `javaScript`, as JSON text. */
  readonly sourceMap: string;
  readonly diagnostics: readonly CellDiagnostic[];
  /** The names it declares for later cells. */
  readonly declares: readonly string[];
  /** The names of earlier cells whose values it uses. */
  readonly uses: readonly string[];
}

export interface CellDiagnostic {
  /** The cell's name, `cell 3`. */
  readonly cell: string;
  /** TypeScript's number, `TS2322`, or `UNKNOWN_COLUMN`. */
  readonly code: string;
  readonly message: string;
  /** From 1, as editors count. */
  readonly line: number;
  readonly column: number;
  /** The text of that line and how many characters of it are meant. */
  readonly lineText: string;
  readonly length: number;
}
