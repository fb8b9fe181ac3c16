import {
  AGGREGATE,
  COLLECTED,
  COLUMNS,
  type Entry,
  type Meaning,
  NO_EXPRESSION,
  ROW_WISE,
  refused,
} from "./meaning.ts";

const OWN_ROWS: Meaning = refused("it makes rows of its own, which belong to no record");

/**
 * The meaning of every function of `pl`. Those that stand for a method (`pl.mean("x")`) are recorded as that method.
 * A test walks the real object.
 */
export const FUNCTION_MEANINGS: Readonly<Record<string, Meaning>> = {
  ...all(COLUMNS, "col cols all exclude nth first"),
  ...all(
    ROW_WISE,
    "struct concatList concatString format allHorizontal anyHorizontal minHorizontal maxHorizontal sumHorizontal intRanges",
  ),
  lit: ROW_WISE,
  when: ROW_WISE,
  element: refused("it stands for the items of a list, inside list.eval(…) only"),
  len: AGGREGATE,
  ...all(COLLECTED, "cov pearsonCorr spearmanRankCorr"),
  intRange: OWN_ROWS,
  argSortBy: refused("it needs the whole column, and a stream has no end"),
  // recorded as methods
  ...all(AGGREGATE, "avg mean count last"),
  ...all(COLLECTED, "median nUnique quantile list"),
  ...all(refused("it gives another number of rows than it was given"), "head tail"),
  // frames, series, dtypes, files
  ...all(
    NO_EXPRESSION,
    "DataType pl Expr DataFrame LazyDataFrame Series Config Field repeat concat scanCSV scanJson scanIPC scanParquet readRecords readCSV",
    "readIPC readIPCStream readJSON readParquet readAvro readCSVStream readJSONStream select version Categorical Int8 Int16 Int32 Int64",
    "UInt8 UInt16 UInt32 UInt64 Float32 Float64 Bool Utf8 String List FixedSizeList Date Datetime Duration Time Object Null Struct",
    "Decimal SQLContext writeCsvDefaultOptions _DataFrame _Expr exprToLitOrExpr _LazyGroupBy _LazyDataFrame _Series default",
  ),
};

function all(meaning: Meaning, ...names: string[]): Record<string, Meaning> {
  return Object.fromEntries(names.flatMap((line) => line.split(" ")).map((name) => [name, meaning]));
}

export type { Entry };
