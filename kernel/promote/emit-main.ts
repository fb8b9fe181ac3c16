import ts from "typescript";
import type { Schema } from "../../lib/schema.ts";
import { importBindings } from "./declared-names.ts";
import { edited, editsOf } from "./edits.ts";
import { enumAsObject } from "./erasable-enum.ts";
import { formatted } from "./formatted.ts";
import { isRequire, type Needs } from "./modules.ts";
import type { CodeCell } from "./notebook.ts";
import type { ParameterSite } from "./parameters.ts";
import type { Ranges } from "./recorded.ts";
import type { Slice } from "./slice.ts";
import type { Unit } from "./unit.ts";

export interface MainOptions {
  /** The notebook's file name, for the first line. */
  readonly notebook: string;
  readonly name: string;
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly parameters: readonly ParameterSite[];
  readonly needs: Needs;
  /** What the notebook had read; the job begins with the state of that. */
  readonly warm?: Ranges;
}

/** What the text of the statements depends on. */
type Statements = Pick<MainOptions, "parameters" | "needs">;

/** `main.ts`: merged imports, the job with its frozen schemas, the kept statements in document order, and the run. */
export function emitMain(slice: Slice, options: MainOptions): string {
  const taken = takenNames(slice);
  const job = unused("job", taken);
  const main = unused("main", taken);
  const imports = emitImports(slice, options, [
    { module: "millrace/job", imported: "job", local: job },
    ...paramImport(slice, options),
    ...requireImport(slice),
  ]);
  return formatted(
    [
      `// Made by \`millrace promote\` from ${options.notebook}. Change the notebook and promote it again.`,
      "",
      imports,
      "",
      `const ${main} = ${job}({`,
      `  name: ${JSON.stringify(options.name)},`,
      "  packageRoot: import.meta.dirname,",
      `  schemas: {${emitSchemas(options.schemas)}},`,
      ...(options.warm === undefined ? [] : [`  warm: ${JSON.stringify(options.warm)},`]),
      "});",
      "",
      ...requireOf(slice),
      ...cellsOf(slice).map((cell) => emitCell(cell, slice, options)),
      `await ${main}.run();`,
      "",
    ]
      .join("\n")
      .replaceAll("\r\n", "\n"),
  );
}

/** The same statements alone, for a first run in the notebook's folder: files have the names they have there, and nothing is a job yet. */
export function emitStatements(slice: Slice, options: Statements): string {
  const inPlace = { ...options, needs: { ...options.needs, rewritten: new Map() } };
  const imports = emitImports(slice, inPlace, [...paramImport(slice, options), ...requireImport(slice)]);
  return [imports, ...requireOf(slice), ...cellsOf(slice).map((cell) => emitCell(cell, slice, inPlace))]
    .join("\n")
    .replaceAll("\r\n", "\n");
}

/** `param`, where a parameters cell needs it and the notebook does not import it. */
function paramImport(slice: Slice, { parameters }: Statements): Wanted[] {
  const wraps = parameters.some((site) => site.literal !== undefined);
  return wraps && !importsParam(slice) ? [{ module: "millrace", imported: "param", local: "param" }] : [];
}

/** The kernel has a `require` for cells; a module has none. */
const requireOf = (slice: Slice): string[] =>
  requires(slice) ? ["const require = createRequire(import.meta.url);", ""] : [];

const requireImport = (slice: Slice): Wanted[] =>
  requires(slice) ? [{ module: "node:module", imported: "createRequire", local: "createRequire" }] : [];

function requires({ units, kept }: Slice): boolean {
  if (units.some(({ names }) => names.includes("require"))) return false;
  const visit = (node: ts.Node): boolean =>
    isRequire(node) || ts.forEachChild(node, (child) => visit(child) || undefined) === true;
  return units.some((unit) => kept.has(unit.index) && visit(unit.node));
}

/** The code cells that give at least one statement other than an import, in document order. */
export function cellsOf(slice: Slice): CodeCell[] {
  const cells = new Set<CodeCell>();
  for (const unit of slice.units) {
    if (slice.kept.has(unit.index) && !ts.isImportDeclaration(unit.statement)) cells.add(unit.cell);
  }
  return [...cells];
}

export function marker(cell: CodeCell): string {
  return `// cell ${cell.number}${cell.title === undefined ? "" : ` · ${JSON.stringify(cell.title)}`}`;
}

function emitCell(cell: CodeCell, slice: Slice, options: Statements): string {
  const units = slice.units.filter((unit) => unit.cell === cell && !ts.isImportDeclaration(unit.statement));
  const statements = new Map<ts.Statement, Unit[]>();
  for (const unit of units) statements.set(unit.statement, [...(statements.get(unit.statement) ?? []), unit]);
  const lines = [marker(cell)];
  let previousEnd: number | undefined;
  for (const [statement, all] of statements) {
    const kept = all.filter((unit) => slice.kept.has(unit.index));
    if (kept.length === 0) continue;
    const leading = leadingComments(statement);
    const start = leading.start;
    const text = slice.cells.files[cell.number - 1]!.sourceFile.text;
    const blank = previousEnd !== undefined && /\n\s*\n/.test(text.slice(previousEnd, start));
    if (blank) lines.push("");
    lines.push(...leading.text, emitStatement(statement, all, kept, slice, options));
    previousEnd = statement.getEnd();
  }
  return `${lines.join("\n")}\n`;
}

function emitStatement(statement: ts.Statement, all: Unit[], kept: Unit[], slice: Slice, options: Statements): string {
  const { text } = statement.getSourceFile();
  const edits = kept.flatMap((unit) => editsOf(unit, slice, options.parameters, options.needs));
  let code: string;
  const asObject = ts.isEnumDeclaration(statement) ? enumAsObject(statement, slice.cells.checker) : undefined;
  if (asObject !== undefined) code = asObject;
  else if (kept.length === all.length) code = edited(text, statement.getStart(), statement.getEnd(), edits);
  else {
    const list = (statement as ts.VariableStatement).declarationList;
    const keyword = text.slice(list.getStart(), list.declarations[0]!.getStart());
    const parts = kept.map((unit) => edited(text, unit.node.getStart(), unit.node.getEnd(), edits));
    code = keyword + parts.join(", ");
  }
  const endsItself =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isModuleDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isLabeledStatement(statement) ||
    ts.isBlock(statement) ||
    (ts.isIterationStatement(statement, false) && ts.isBlock(statement.statement)) ||
    ts.isIfStatement(statement) ||
    ts.isTryStatement(statement) ||
    ts.isSwitchStatement(statement);
  code = code.replace(/\s+;$/, ";"); // one that guards the next line of a cell without semicolons
  if (!endsItself && !code.endsWith(";")) code += ";";
  const comments = (ts.getTrailingCommentRanges(text, statement.getEnd()) ?? []).filter(
    (range) => range.end <= lengthOf(statement, slice),
  );
  return [code, ...comments.map((range) => text.slice(range.pos, range.end))].join(" ");
}

const lengthOf = (statement: ts.Statement, slice: Slice) =>
  slice.cells.files.find((file) => file.sourceFile === statement.getSourceFile())!.length;

/** The comments above a statement, without the wishes (`@keep`) written for promotion alone. */
function leadingComments(statement: ts.Statement): { start: number; text: string[] } {
  const { text } = statement.getSourceFile();
  const ranges = ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? [];
  const texts = ranges
    .map((range) => text.slice(range.pos, range.end))
    .filter((comment) => !/^\/\/\s*@(keep|skip)\b/.test(comment));
  return { start: ranges[0]?.pos ?? statement.getStart(), text: texts };
}

interface Wanted {
  readonly module: string;
  readonly imported: string;
  readonly local: string;
}

interface ModuleImport {
  readonly specifier: string;
  readonly attributes: string;
  readonly comments: Set<string>;
  sideEffect: boolean;
  defaults: Set<string>;
  namespaces: Set<string>;
  /** `pl`, `type Schema`, `a as b`. */
  named: Set<string>;
  typeDefaults: Set<string>;
  typeNamespaces: Set<string>;
}

function emitImports(slice: Slice, { needs }: Statements, extra: readonly Wanted[]): string {
  const modules = new Map<string, ModuleImport>();
  const moduleOf = (specifier: string, attributes: string): ModuleImport => {
    const key = `${specifier} ${attributes}`;
    const known = modules.get(key) ?? {
      specifier,
      attributes,
      comments: new Set(),
      sideEffect: false,
      defaults: new Set(),
      namespaces: new Set(),
      named: new Set(),
      typeDefaults: new Set(),
      typeNamespaces: new Set(),
    };
    modules.set(key, known);
    return known;
  };
  for (const unit of slice.units) {
    const { statement } = unit;
    if (!slice.kept.has(unit.index) || !ts.isImportDeclaration(statement)) continue;
    const written = (statement.moduleSpecifier as ts.StringLiteral).text;
    const module = moduleOf(needs.rewritten.get(written) ?? written, statement.attributes?.getText() ?? "");
    for (const comment of leadingComments(statement).text) module.comments.add(comment);
    const used = slice.usedImports.get(unit.index) ?? new Set();
    // one that is kept although nothing uses its names runs for what it does
    if (used.size === 0) module.sideEffect = true;
    for (const { local, imported, typeOnly } of importBindings(statement)) {
      if (!used.has(local)) continue;
      const isType = typeOnly || !isValue(unit, local, slice);
      if (imported === "default") (isType ? module.typeDefaults : module.defaults).add(local);
      else if (imported === "*") (isType ? module.typeNamespaces : module.namespaces).add(local);
      else module.named.add(`${isType ? "type " : ""}${imported === local ? local : `${imported} as ${local}`}`);
    }
  }
  for (const { module, imported, local } of extra) {
    moduleOf(module, "").named.add(imported === local ? local : `${imported} as ${local}`);
  }
  return [...modules.values()]
    .sort((a, b) => rank(a.specifier) - rank(b.specifier) || (a.specifier < b.specifier ? -1 : 1))
    .flatMap((module) => [...module.comments, ...importLines(module)])
    .join("\n");
}

/** Do kept statements use the name as more than a type? The kernel leaves types out of imports; Node does not know them. */
const isValue = (unit: Unit, local: string, { edges, kept }: Slice) =>
  unit.wish !== undefined ||
  edges.some((edge) => edge.to === unit.index && edge.name === local && edge.kind !== "type" && kept.has(edge.from));

/** Node's own modules, packages, files. */
const rank = (specifier: string) => (specifier.startsWith("node:") ? 0 : specifier.startsWith(".") ? 2 : 1);

function importLines(module: ModuleImport): string[] {
  const from = `${JSON.stringify(module.specifier)}${module.attributes === "" ? "" : ` ${module.attributes}`};`;
  const bare = (name: string) => name.replace(/^type /, "");
  const named = [...module.named].filter((name) => !name.startsWith("type ") || !module.named.has(bare(name)));
  const order = (name: string) => bare(name).toLowerCase();
  named.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const [firstDefault, ...otherDefaults] = [...module.defaults].sort();
  named.push(...otherDefaults.map((name) => `default as ${name}`));
  const clauses = [firstDefault, named.length > 0 ? `{ ${named.join(", ")} }` : undefined].filter(
    (clause) => clause !== undefined,
  );
  return [
    ...[...module.typeDefaults].sort().map((name) => `import type ${name} from ${from}`),
    ...[...module.typeNamespaces].sort().map((name) => `import type * as ${name} from ${from}`),
    ...[...module.namespaces].sort().map((name) => `import * as ${name} from ${from}`),
    ...(clauses.length > 0 ? [`import ${clauses.join(", ")} from ${from}`] : []),
    ...(module.sideEffect ? [`import ${from}`] : []),
  ];
}

function importsParam(slice: Slice): boolean {
  return slice.units.some(
    (unit) =>
      slice.kept.has(unit.index) &&
      ts.isImportDeclaration(unit.statement) &&
      (unit.statement.moduleSpecifier as ts.StringLiteral).text === "millrace" &&
      slice.usedImports.get(unit.index)?.has("param"),
  );
}

function emitSchemas(schemas: Readonly<Record<string, Schema>>): string {
  const entries = Object.entries(schemas).map(([source, schema]) => {
    const columns = Object.entries(schema).map(([name, dtype]) => `${key(name)}: ${JSON.stringify(dtype)}`);
    return `    ${JSON.stringify(source)}: { ${columns.join(", ")} },`;
  });
  return entries.length === 0 ? "" : `\n${entries.join("\n")}\n  `;
}

const key = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function takenNames(slice: Slice): Set<string> {
  const taken = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) taken.add(node.text);
    ts.forEachChild(node, visit);
  };
  for (const unit of slice.units) if (slice.kept.has(unit.index)) visit(unit.node);
  return taken;
}

function unused(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const longer = `millrace${name[0]!.toUpperCase()}${name.slice(1)}`;
  return taken.has(longer) ? unused(`${name}_`, taken) : longer;
}
