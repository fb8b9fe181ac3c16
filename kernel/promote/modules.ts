import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import ts from "typescript";
import { suspiciousLiterals } from "./checks/literals.ts";
import { isOpened } from "./is-opened.ts";
import type { Notebook } from "./notebook.ts";
import type { OpenedFile } from "./opened-files.ts";
import { type Problem, problemAt } from "./problem.ts";
import type { Slice } from "./slice.ts";
import type { Unit } from "./unit.ts";

/** Everything outside the notebook that the slice needs at run time. */
export interface Needs {
  /** npm packages with the exact version the notebook resolves; `millrace` itself is not among them. */
  readonly packages: ReadonlyMap<string, string>;
  /** Absolute path -> path in the job folder: local modules, and files named by relative paths. */
  readonly files: ReadonlyMap<string, string>;
  /** Module specifier or relative path as the notebook writes it -> as `main.ts` must write it. */
  readonly rewritten: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** Names a promoted folder uses itself. */
const RESERVED =
  /^(main(\.test)?\.ts|package(-lock)?\.json|promotion\.json|Dockerfile|compose\.yaml|README\.md|postinstall\.mjs|(vendor|k8s|samples|expected|state|node_modules)(\/.*)?)$/;

/**
 * Follows the imports and relative paths of the kept units, through local modules.
 * A file inside the notebook's folder keeps its relative path; when one lies outside, or would take the place of a generated file,
 * all of them move below `modules/`, keeping their places relative to each other.
 */
export function findNeeds(slice: Slice, folder: string): Needs {
  const packages = new Map<string, string>();
  const found = new Map<string, string>(); // specifier as in the notebook -> absolute
  const local = new Set<string>();
  const problems: Problem[] = [];

  for (const unit of slice.units) {
    if (!slice.kept.has(unit.index)) continue;
    for (const { text, node, isModule } of mentionedFiles(unit.node)) {
      const file = path.resolve(folder, text);
      if (isModule && !text.startsWith(".")) addPackage(text, folder, unit, node);
      else if (existsSync(file) && statSync(file).isFile()) {
        found.set(text, file);
        follow(file, unit, node);
      } else if (isModule) missing(text, folder, "This cell", unit, node);
    }
  }
  const outside = [...local].some(
    (file) => !inside(folder, file) || RESERVED.test(slashes(path.relative(folder, file))),
  );
  const base = outside ? commonFolder([...local]) : folder;
  const place = (file: string) => slashes(path.join(outside ? "modules" : "", path.relative(base, file)));
  const files = new Map([...local].sort().map((file) => [file, place(file)]));
  const rewritten = new Map(
    [...found].filter(() => outside).map(([text, file]) => [text, `${text.startsWith(".") ? "./" : ""}${place(file)}`]),
  );
  return { packages: new Map([...packages].sort()), files, rewritten, problems };

  function follow(file: string, unit: Unit, node: ts.Node): void {
    if (local.has(file)) return;
    local.add(file);
    if (!/\.[cm]?[jt]s$/.test(file)) return;
    const text = readFileSync(file, "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2024, true);
    for (const mention of mentionedFiles(source)) {
      const next = path.resolve(path.dirname(file), mention.text);
      if (mention.isModule && !mention.text.startsWith(".")) addPackage(mention.text, path.dirname(file), unit, node);
      else if (existsSync(next) && statSync(next).isFile()) follow(next, unit, node);
      else if (mention.isModule)
        missing(mention.text, path.dirname(file), slashes(path.relative(folder, file)), unit, node);
    }
    const lineOf = (position: number) =>
      `${slashes(path.relative(folder, file))}:${source.getLineAndCharacterOfPosition(position).line + 1}`;
    for (const { node: literal, rule } of suspiciousLiterals(source)) {
      const what = `${lineOf(literal.getStart())}: ${rule.what}`;
      problems.push(problemAt(unit.cell, node.getStart(), { ...rule, what }));
    }
    for (const diagnostic of notErasable(slice, file)) {
      const what = `${lineOf(diagnostic.start ?? 0)} is more than types; Node runs a job by stripping types only.`;
      const remedies = [
        "write an object with `as const` for an enum, plain fields in a class, `value as T` for a cast",
      ];
      problems.push(problemAt(unit.cell, node.getStart(), { code: "NOT_ERASABLE", what, remedies }));
    }
  }

  /** The kernel also finds `./features` and `./features.js` for `./features.ts`; Node, which runs the job, does not. */
  function missing(specifier: string, from: string, who: string, unit: Unit, node: ts.Node): void {
    const bare = path.resolve(from, specifier.replace(/\.js$/, ""));
    const meant = [".ts", ".js", ".json", "/index.ts", "/index.js"].find((ending) => existsSync(bare + ending));
    const what =
      meant === undefined
        ? `${who} imports ${specifier}, which is not there.`
        : `${who} imports ${specifier}; a job runs on plain Node, which wants the whole file name.`;
    const remedy = meant === undefined ? "correct the path" : `write ${specifier.replace(/\.js$/, "")}${meant}`;
    problems.push(problemAt(unit.cell, node.getStart(), { code: "UNRESOLVED_IMPORT", what, remedies: [remedy] }));
  }

  function addPackage(specifier: string, from: string, unit: Unit, node: ts.Node): void {
    if (isBuiltin(specifier)) return;
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    if (name === "millrace") return;
    const manifest = packageManifest(name, from);
    if (manifest === undefined) return; // the type checker has said so
    const version = (JSON.parse(readFileSync(manifest, "utf8")) as { version?: string }).version;
    const isLink = !realpathSync(manifest).includes(`${path.sep}node_modules${path.sep}`);
    if (version !== undefined && !isLink) packages.set(name, version);
    else {
      problems.push(
        problemAt(unit.cell, node.getStart(), {
          code: "UNPINNED_PACKAGE",
          what: `${name} is ${isLink ? "linked from a folder of this machine" : "installed without a version"}, so that no other machine could install the same.`,
          remedies: [`npm install --save-exact ${name}`, "import the files you need by a relative path"],
        }),
      );
    }
  }
}

/**
 * What static text did not tell: files that the statements asked for under names they computed. Inside the notebook's folder they come along; one
 * outside would not be found from the job's folder, or on another machine.
 */
export function withOpened(needs: Needs, opened: readonly OpenedFile[], { folder, cells }: Notebook): Needs {
  const files = new Map(needs.files);
  const problems: Problem[] = [];
  const own = new Set([...needs.files.values()]);
  for (const { file, relative, by } of opened.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    if (needs.files.has(file)) continue;
    const to = slashes(path.relative(folder, file));
    if (inside(folder, file) && !RESERVED.test(to) && !own.has(to)) files.set(file, to);
    else if (relative || !(inside(folder, file) || isEverywhere(file))) {
      const problem = {
        code: "ABSOLUTE_PATH",
        what: inside(folder, file)
          ? `The job needs ${to}, which its folder has a file of its own for.`
          : `The job needs ${relative ? to : file}, which lies outside the notebook's folder and is named by a path that is computed.`,
        remedies: ["put the file beside the notebook, or in a folder below it", "name it by a literal, relative path"],
      } as const;
      const cell = cells.find(({ number }) => number === by?.cell);
      problems.push(
        cell === undefined ? problem : problemAt(cell, Math.max(0, cell.source.indexOf(by!.line)), problem),
      );
    }
  }
  return { ...needs, files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))), problems };
}

/** What the system has on any machine, and Millrace's own sources. */
const isEverywhere = (file: string) =>
  /^\/(proc|sys|dev|usr|etc|lib|run)\//.test(file) || INSTALLATION.some((folder) => inside(folder, file));
const INSTALLATION = ["..", "../../lib"].map((folder) => path.resolve(import.meta.dirname, folder));

function notErasable(slice: Slice, file: string): readonly ts.Diagnostic[] {
  const source = slice.cells.program.getSourceFile(file);
  if (source === undefined || source.isDeclarationFile) return [];
  return slice.cells.program.getSemanticDiagnostics(source).filter((diagnostic) => diagnostic.code === 1294);
}

const require = createRequire(import.meta.url);

/** The package.json of a package as Node finds it from a folder; nodejs-polars comes with the kernel when it is not installed there. */
export function packageManifest(name: string, from: string): string | undefined {
  for (let at = from; ; at = path.dirname(at)) {
    const candidate = path.join(at, "node_modules", name, "package.json");
    if (existsSync(candidate) || lstatSync(candidate, { throwIfNoEntry: false })) return candidate;
    if (path.dirname(at) === at) break;
  }
  if (name !== "nodejs-polars") return undefined;
  try {
    return require.resolve("nodejs-polars/package.json");
  } catch {
    return undefined;
  }
}

interface Mention {
  readonly text: string;
  readonly node: ts.Node;
  readonly isModule: boolean;
}

/** Module specifiers, and string literals that may name a file. */
function mentionedFiles(root: ts.Node): Mention[] {
  const mentions: Mention[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && node.text !== "") {
      const { parent } = node;
      const isModule =
        ts.isImportDeclaration(parent) ||
        ts.isExportDeclaration(parent) ||
        (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword) ||
        (isRequire(parent) && !node.text.startsWith("."));
      const mayBeFile =
        !/^[a-z]+:|[\n\0]/.test(node.text) &&
        !path.isAbsolute(node.text) &&
        (node.text.includes(".") || isOpened(node));
      if (isModule || mayBeFile) mentions.push({ text: node.text, node, isModule });
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return mentions;
}

/** `require("name")`, which the kernel gives to cells. */
export const isRequire = (node: ts.Node): boolean =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "require";

const slashes = (file: string) => file.split(path.sep).join("/");

const inside = (folder: string, file: string) => !path.relative(folder, file).startsWith("..");

function commonFolder(files: readonly string[]): string {
  let common = path.dirname(files[0]!);
  while (!files.every((file) => inside(common, file))) common = path.dirname(common);
  return common;
}
