import { print } from "../print.ts";
import { type Arg, argTrees, type CallTree, columnsOf, isTagged } from "../tree.ts";
import {
  ACCUMULATING,
  AGGREGATE,
  COLLECTED,
  COLUMNS,
  type Entry,
  type Meaning,
  NARROWING,
  NO_EXPRESSION,
  ROW_WISE,
  refused,
} from "./meaning.ts";

const self = (tree: CallTree): string => print(tree.self);
const windowed = (aggregate: string) => (tree: CallTree, key: string) =>
  `groupByDynamic({ …, by: "${key}" }).agg(${self(tree)}.${aggregate})`;

const LOOKS_AHEAD = "it needs rows that have not arrived yet";
const WHOLE_COLUMN = "it needs the whole column, and a stream has no end";
const CHANGES_LENGTH = "it gives another number of rows than it was given, so its rows no longer belong to records";
const NOT_DETERMINISTIC = "it gives other values every time it runs, so a replay could not repeat it";

const reversible =
  (meaning: Meaning): Entry =>
  (tree) =>
    option(tree, 0, "reverse") === true
      ? refused(`reversed, ${LOOKS_AHEAD}`, (it) => `${self(it)}.${it.fn}()`)
      : meaning;

const rolling: Entry = (tree) => rollingMeaning(tree, option(tree, 0, "windowSize"), option(tree, 3, "center"));

/**
 * The meaning of every method of an Expr. A test walks the real objects: what nodejs-polars has and this table has not fails it.
 */
export const METHOD_MEANINGS: Readonly<Record<string, Entry>> = {
  ...all(
    ROW_WISE,
    "abs alias arccos arccosh arcsin arcsinh arctan arctan2 arctanh as ceil clip cos cosh cot degrees exp fillNan floor isFinite isInfinite",
    "isNan isNotNan isNotNull isNull keepName log1p log not and or pow prefix radians reinterpret repeatBy replace replaceStrict round sin sinh",
    "suffix tan tanh toPhysical add sub div mul rem plus minus divideBy multiplyBy modulo eq equals gtEq greaterThanEquals gt greaterThan",
    "ltEq lessThanEquals lt lessThan neq notEquals",
  ),
  cast: (tree) =>
    isTagged(tree.args[0], "$dtype") && tree.args[0].$dtype === "Categorical"
      ? refused("the codes of a Categorical depend on the order in which values arrive", (it) => `${self(it)} as Utf8`)
      : ROW_WISE,
  fillNull: fillNull,
  isIn: (tree) =>
    argTrees(tree.args).some((arg) => columnsOf(arg).length > 0)
      ? refused(`membership in a column: ${WHOLE_COLUMN}`, (it) => `${self(it)}.isIn([…]) with the values themselves`)
      : ROW_WISE,

  // look-back
  shift: (tree) => {
    const periods = option(tree, 0, "periods");
    if (typeof periods !== "number") return refused("the number of rows must be a number that is written here");
    return periods < 0 ? ahead("shift", -periods) : { is: "look-back", rows: periods };
  },
  shiftAndFill: (tree) => {
    const periods = option(tree, 0, "periods");
    if (typeof periods !== "number") return refused("the number of rows must be a number that is written here");
    return periods < 0 ? ahead("shiftAndFill", -periods) : { is: "look-back", rows: periods };
  },
  diff: (tree) => {
    const n = option(tree, 0, "n");
    const nulls = option(tree, 1, "nullBehavior") ?? "ignore";
    if (typeof n !== "number")
      return refused("the number of rows must be given", (it) => `${self(it)}.diff(1, "ignore")`);
    if (n < 0)
      return refused(`with a negative number of rows ${LOOKS_AHEAD}`, (it) => `${self(it)}.diff(${-n}, "ignore")`);
    if (nulls !== "ignore")
      return refused(
        `${JSON.stringify(nulls)} leaves rows out: ${CHANGES_LENGTH}`,
        (it) => `${self(it)}.diff(${n}, "ignore")`,
      );
    return { is: "look-back", rows: n };
  },
  pctChange: (tree) => {
    const n = option(tree, 0, "n") ?? 1;
    if (typeof n !== "number") return refused("the number of rows must be a number that is written here");
    if (n < 0) return refused(`with a negative number of rows ${LOOKS_AHEAD}`, (it) => `${self(it)}.pctChange(${-n})`);
    return { is: "look-back", rows: n };
  },
  ...all(rolling, "rollingMax rollingMean rollingMin rollingSum rollingStd rollingVar rollingMedian"),
  rollingQuantile: (tree) => {
    const by = option(tree, 6, "by") ?? option(tree, 7, "closedWindow");
    if (by !== undefined && by !== null) return refused("its window by another column is not built yet");
    const [windowSize, center] =
      typeof tree.args[0] === "number"
        ? [tree.args[2], tree.args[5]]
        : [option(tree, 0, "windowSize"), option(tree, 0, "center")];
    return rollingMeaning(tree, windowSize, center);
  },
  rollingSkew: (tree) => rollingMeaning(tree, option(tree, 0, "windowSize"), false),

  // accumulating
  ...all(reversible(ACCUMULATING), "cumSum cumCount cumMax cumMin cumProd"),
  forwardFill: ACCUMULATING,
  over: { is: "per key" },

  // aggregates
  ...all(AGGREGATE, "sum min max mean std var count first last any all nullCount product"),
  ...all(COLLECTED, "median quantile nUnique skew kurtosis entropy argMax argMin implode"),
  ...all(NARROWING, "filter dropNulls dropNans"),

  // several columns
  exclude: COLUMNS,

  // refused
  ...all(
    refused(LOOKS_AHEAD, (it) => `${self(it)}.forwardFill()`),
    "backwardFill interpolate",
  ),
  ...all(
    refused(LOOKS_AHEAD, (it) => `${self(it)}.rollingMax(3), one row later`),
    "peakMax",
  ),
  ...all(
    refused(LOOKS_AHEAD, (it) => `${self(it)}.rollingMin(3), one row later`),
    "peakMin",
  ),
  ...all(refused(WHOLE_COLUMN, windowed("max()")), "rank argSort sort sortBy reverse"),
  ...all(
    refused(`a later row can make a value a duplicate: ${WHOLE_COLUMN}`, windowed("nUnique()")),
    "isDuplicated isUnique",
  ),
  isFirstDistinct: refused("it would have to remember every value ever seen", windowed("nUnique()")),
  ...all(refused(CHANGES_LENGTH, windowed("last()")), "head tail slice gather gatherEvery"),
  ...all(refused(CHANGES_LENGTH, windowed("nUnique()")), "unique uniqueCounts valueCounts argUnique mode"),
  ...all(refused(CHANGES_LENGTH), "explode flatten extendConstant reshape"),
  ...all(refused(NOT_DETERMINISTIC), "sample shuffle"),
  hash: refused("its values differ between machines and versions of Polars, so a replay could not repeat them"),
  ...all(
    refused(
      "it is one value for the whole column, and known beforehand",
      () => "pl.lit(…) with the limit of the dtype",
    ),
    "lowerBound upperBound",
  ),
  dot: refused("it sums over the whole column", (it) => `groupByDynamic(…).agg(${self(it)}.multiplyBy(…).sum())`),
  ...all(
    refused(
      "its exponential weights over all rows so far are not carried from batch to batch yet",
      (it) => `${self(it)}.rollingMean(n)`,
    ),
    "ewmStd ewmVar",
  ),
  ewmMean: (tree) => {
    const { alpha, adjust, ignoreNulls, minPeriods } = ewmOptions(tree);
    if (typeof alpha !== "number") return refused("the smoothing factor must be a number that is written here");
    return !adjust && (!ignoreNulls || minPeriods !== 1)
      ? refused(
          "without adjustment its weights after a null, or before the least number of values, are not carried from batch to batch",
          (it) => `${self(it)}.ewmMean({ alpha: ${alpha}, adjust: false })`,
        )
      : ACCUMULATING;
  },

  ...all(NO_EXPRESSION, "_expr serialize toString toJSON inner str dt list lst struct"),

  // str
  "str.concat": COLLECTED,
  ...all(
    ROW_WISE,
    "str.contains str.decode str.encode str.endsWith str.extract str.jsonDecode str.jsonPathMatch str.lengths str.lstrip str.replace",
    "str.replaceAll str.rstrip str.padStart str.zFill str.padEnd str.slice str.split str.startsWith str.strip str.stripChars",
    "str.stripCharsEnd str.stripCharsStart str.toLowerCase str.toUpperCase",
  ),
  "str.strptime": (tree) =>
    typeof tree.args[1] === "string"
      ? ROW_WISE
      : refused(
          "without a format Polars guesses one from the first value of a batch",
          (it) => `${self(it)}.str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S")`,
        ),

  // dt, list and struct compute within a row
  ...all(
    ROW_WISE,
    "dt.day dt.hour dt.minute dt.month dt.nanosecond dt.ordinalDay dt.second dt.strftime dt.timestamp dt.week dt.weekday dt.year",
    "dt.truncate dt.round dt.replaceTimeZone dt.convertTimeZone",
    "list.argMax list.argMin list.concat list.contains list.diff list.get list.head list.tail list.eval list.first list.join list.last",
    "list.lengths list.max list.mean list.min list.reverse list.shift list.slice list.sort list.sum list.unique",
    "struct.field struct.nth struct.renameFields struct.withFields struct.jsonEncode",
  ),
};

/** The same entry under several names, which are written as words. */
function all(entry: Entry, ...names: string[]): Record<string, Entry> {
  return Object.fromEntries(names.flatMap((line) => line.split(" ")).map((name) => [name, entry]));
}

/** An argument by its place, or by its name where the first argument is an object of options. */
export function option(tree: CallTree, place: number, name: string): Arg | undefined {
  const first = tree.args[0];
  const options = first !== null && typeof first === "object" && !Array.isArray(first) && !isTagged(first, "$expr");
  const value = options ? (first as Record<string, Arg>)[name] : tree.args[place];
  return isTagged(value, "$undefined") ? undefined : value;
}

/** The arguments of `ewmMean`, with nodejs-polars' defaults. */
export function ewmOptions(tree: CallTree) {
  return {
    alpha: option(tree, 0, "alpha") ?? 0.5,
    adjust: option(tree, 1, "adjust") !== false,
    minPeriods: Number(option(tree, 2, "minPeriods") ?? 1),
    ignoreNulls: option(tree, 4, "ignoreNulls") !== false,
  };
}

function ahead(fn: string, periods: number): Meaning {
  return refused(
    `with a negative number of rows ${LOOKS_AHEAD}`,
    (it, key) => `${self(it)}.${fn}(${periods}).over("${key}")`,
  );
}

function rollingMeaning(tree: CallTree, windowSize: Arg | undefined, center: Arg | undefined): Meaning {
  const size = typeof tree.args[0] === "number" && !tree.fn.endsWith("Quantile") ? tree.args[0] : windowSize;
  if (typeof size !== "number") return refused("the number of rows must be a number that is written here");
  if (center === true)
    return refused(`centred, ${LOOKS_AHEAD}`, (it) => `${self(it)}.${it.fn}({ windowSize: ${size}, center: false })`);
  return { is: "look-back", rows: Math.max(0, size - 1) };
}

function fillNull(tree: CallTree): Meaning {
  const [strategy, limit] = tree.args;
  switch (strategy) {
    case "forward":
      return typeof limit === "number" ? { is: "look-back", rows: limit } : ACCUMULATING;
    case "backward":
      return refused(LOOKS_AHEAD, (it) => `${self(it)}.fillNull("forward")`);
    case "mean":
    case "min":
    case "max":
      return refused(`the ${strategy} of the column: ${WHOLE_COLUMN}`, (it) => `${self(it)}.fillNull(pl.lit(0))`);
    default:
      return ROW_WISE;
  }
}
