import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { dtypeOf } from "../../../lib/schema.ts";
import { isOpened } from "../is-opened.ts";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";

const SECRET_NAME =
  /(pass(word|wd|phrase|code)|pwd|secret|token|(api|access|private|secret|signing|encryption|auth)[-_]?key|credential)s?$/i;
/** What a value is not known by: `\0`, in place of what a template puts in. */
const SECRET_VALUES = [
  /^(AKIA|ASIA)[0-9A-Z]{16}$|^AIza[\w-]{35}$|^gh[pousr]_[A-Za-z0-9]{30,}|^github_pat_|^glpat-[\w-]{20}|^npm_[A-Za-z0-9]{36}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|^xox[abprs]-|^sk[-_][A-Za-z0-9_-]{20,}|^eyJ[\w-]{8,}\.eyJ[\w-]{8,}\./,
  /^(Bearer|Basic)\s+[\w+/=.~-]{16,}$/i,
  // user and password in an address
  /^([a-z][a-z0-9+.-]*|\0):\/\/[^\s/:@]*:[^\s/@\0]+@/i,
  // a connection string, the login of a JAAS configuration, JSON
  /(^|[;?&\s{,"'])(password|pwd|accountkey|sharedaccesskey|access_token|api_?key)(\s*=|["']\s*:)\s*["']?[^;&\s"'\0]{3,}/i,
];
/** The word before a token is none. */
const SCHEME = /^(Bearer|Basic|Token|ApiKey)\s+/i;
const MACHINE_PATH =
  /^(\/(home|Users|root|tmp|var|mnt|media|data|opt|srv|work|workspace|etc|private|Volumes)\/|[A-Za-z]:[\\/]|\\\\|~\/|file:\/\/)/;

/** Text in the slice that belongs to this machine, or to nobody's source. */
export function literalProblems({ units, kept }: Slice): Problem[] {
  return units
    .filter((unit) => kept.has(unit.index))
    .flatMap((unit) =>
      suspiciousLiterals(unit.node).map(({ node, rule }) => problemAt(unit.cell, node.getStart(), rule)),
    );
}

type Text = ts.StringLiteralLike | ts.TemplateExpression;

export interface SuspiciousLiteral {
  readonly node: Text;
  readonly rule: typeof SECRET | typeof ABSOLUTE;
}

/** Literals that look like secrets or like paths of one machine. */
export function suspiciousLiterals(root: ts.Node): SuspiciousLiteral[] {
  const found: SuspiciousLiteral[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const rule = isSecret(node) ? SECRET : isMachinePath(node) ? ABSOLUTE : undefined;
      if (rule !== undefined) found.push({ node, rule });
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/** What takes the secrets that `root` holds out of a text, which is printed or kept. */
export function secretMask(root: ts.Node): (text: string) => string {
  const secrets = suspiciousLiterals(root).filter(({ rule }) => rule === SECRET);
  const hidden = secrets.flatMap(({ node }) => {
    const written = node.getText();
    const pieces = written.includes("\n") ? written.split("\n").filter((line) => /\w/.test(line)) : [];
    return [[written, `${written[0]}…${written.at(-1)}`] as const, ...pieces.map((piece) => [piece, "…"] as const)];
  });
  return (text) => hidden.reduce((masked, [secret, instead]) => masked.split(secret).join(instead), text);
}

/** Not in the message of another rule either. */
export function withoutSecrets(problems: readonly Problem[], { cells }: Slice): Problem[] {
  const masks = new Map(cells.files.map(({ cell, sourceFile }) => [cell.number, secretMask(sourceFile)]));
  return problems.map((problem) => {
    const mask = masks.get(problem.cell ?? 0);
    if (mask === undefined || problem.source === undefined) return problem;
    return { ...problem, what: mask(problem.what), source: mask(problem.source) };
  });
}

/** The literal text; of a template the pieces between what it puts in. */
const partsOf = (node: Text): string[] =>
  ts.isTemplateExpression(node)
    ? [node.head.text, ...node.templateSpans.map((span) => span.literal.text)]
    : [node.text];

const SECRET = {
  code: "SECRET_LITERAL",
  what: "This looks like a secret; a job folder is code that gets shared.",
  remedies: ["read it from the environment: process.env.NAME"],
} as const;

const ABSOLUTE = {
  code: "ABSOLUTE_PATH",
  what: "This path exists on this machine only.",
  remedies: ["put the file beside the notebook and name it by a relative path", "make the path a param(…)"],
} as const;

function isSecret(node: Text): boolean {
  const parts = partsOf(node);
  const text = parts.join("\0");
  if (SECRET_VALUES.some((value) => value.test(text))) return true;
  if (!SECRET_NAME.test(nameOf(node)) || isDType(text)) return false;
  // of a text that is put together, what only holds it together is no secret: `${user}-${key}`
  const whole = parts.length === 1 && !isSum(node.parent);
  return parts.some((part) => (whole ? /\S/ : /\w{3}/).test(part.replace(SCHEME, "")));
}

/** A schema may have a column `token`. */
function isDType(text: string): boolean {
  try {
    return dtypeOf(text) !== undefined;
  } catch {
    return false;
  }
}

const isSum = (node: ts.Node): node is ts.BinaryExpression =>
  ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;

/**
 * What the literal's value is called: the variable, field or parameter that it is given to, also as a part, a fallback (`process.env.X ?? "…"`) or a default, and
 * the name it is set under (`headers.set("token", "…")`).
 */
function nameOf(node: ts.Node): string {
  const { parent } = node;
  const isOperand =
    ts.isBinaryExpression(parent) && /^(\?\?|\|\||&&)$/.test(parent.operatorToken.getText())
      ? parent.right === node
      : isSum(parent);
  const isBranch = ts.isConditionalExpression(parent) && parent.condition !== node;
  if (isOperand || isBranch || ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent)) return nameOf(parent);
  if (
    ts.isVariableDeclaration(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isBindingElement(parent)
  )
    return parent.initializer === node && !isRenaming(parent.parent) ? bareName(parent) : "";
  if (ts.isArrayLiteralExpression(parent)) {
    const name = nameOf(parent);
    return /tokens?$/i.test(name) ? "" : name; // of a text: words
  }
  if (ts.isBinaryExpression(parent))
    return parent.right === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
      ? lastOf(parent.left.getText())
      : "";
  if (!ts.isCallExpression(parent) || parent.arguments[1] !== node) return "";
  const callee = parent.expression.getText();
  if (!/(^|\.)(param|set|append|setHeader|setItem)$/.test(callee)) return "";
  const [name] = parent.arguments;
  const given = name !== undefined && ts.isStringLiteralLike(name) ? name.text : "";
  return /param$/.test(callee) && !SECRET_NAME.test(given) ? nameOf(parent) : given;
}

const bareName = ({ name, ...node }: ts.NamedDeclaration): string =>
  lastOf(((node as ts.BindingElement).propertyName ?? name)!.getText());

/** `password` of `process.env["password"]`. */
const lastOf = (name: string) => name.replace(/["'\]]+$/, "");

/** `frame.rename({ token: "word" })`: names, not values. */
const isRenaming = (node: ts.Node) =>
  ts.isObjectLiteralExpression(node) &&
  ts.isCallExpression(node.parent) &&
  /\.rename$/.test(node.parent.expression.getText());

function isMachinePath(node: Text): boolean {
  const [text] = partsOf(node) as [string];
  if (MACHINE_PATH.test(text)) return true;
  const isRooted = path.isAbsolute(text) || /^([A-Za-z]:|~)$/.test(text);
  if (!isRooted) return false;
  if (text.length > 1 && isOpened(node)) return true;
  const call = node.parent;
  const isJoined =
    ts.isCallExpression(call) &&
    call.arguments[0] === node &&
    call.arguments.length > 1 &&
    /(^|\.)(join|resolve)$/.test(call.expression.getText());
  return isJoined || (/^\/[^/]+\/[^/]/.test(text) && existsSync(text));
}
