import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";

const SECRET_NAME = /(pass(word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)s?$/i;
const SECRET_VALUE =
  /^(AKIA|ASIA)[0-9A-Z]{16}$|-----BEGIN [A-Z ]*PRIVATE KEY-----|^gh[pousr]_[A-Za-z0-9]{30,}|^github_pat_|^xox[abprs]-|^sk-[A-Za-z0-9_-]{20,}|^eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|^(Bearer|Basic)\s+[\w+/=.~-]{16,}$|^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i;
const MACHINE_PATH =
  /^(\/(home|Users|root|tmp|var|mnt|media|data|opt|srv|work|workspace|etc|private|Volumes)\/|[A-Za-z]:[\\/]|\\\\|~\/|file:\/\/)/;

/** Text in the slice that belongs to this machine, or to nobody's source. */
export function literalProblems({ units, kept }: Slice): Problem[] {
  return units
    .filter((unit) => kept.has(unit.index))
    .flatMap((unit) =>
      suspiciousLiterals(unit.node).map(({ node, rule }) =>
        masked(problemAt(unit.cell, node.getStart(), rule), node.text),
      ),
    );
}

export interface SuspiciousLiteral {
  readonly node: ts.StringLiteralLike | ts.TemplateHead;
  readonly rule: typeof SECRET | typeof ABSOLUTE;
}

/** Literals that look like secrets or like paths of one machine. */
export function suspiciousLiterals(root: ts.Node): SuspiciousLiteral[] {
  const found: SuspiciousLiteral[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
      const rule = isSecret(node) ? SECRET : isMachinePath(node.text) ? ABSOLUTE : undefined;
      if (rule !== undefined) found.push({ node, rule });
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

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

/** A secret is not printed either. */
function masked(problem: Problem, text: string): Problem {
  if (problem.code !== "SECRET_LITERAL" || problem.source === undefined) return problem;
  return { ...problem, source: problem.source.split(text).join("…") };
}

function isSecret(node: ts.StringLiteralLike | ts.TemplateHead): boolean {
  if (SECRET_VALUE.test(node.text)) return true;
  return node.text !== "" && SECRET_NAME.test(nameOf(node).replace(/["'\]]+$/, ""));
}

/** What the literal's value is called: the variable, field or parameter that it is given to, also as a fallback (`process.env.X ?? "…"`). */
function nameOf(node: ts.Node): string {
  const { parent } = node;
  const isOperand =
    ts.isBinaryExpression(parent) && /^(\?\?|\|\||&&)$/.test(parent.operatorToken.getText())
      ? parent.right === node
      : false;
  const isBranch = ts.isConditionalExpression(parent) && parent.condition !== node;
  if (isOperand || isBranch || ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent)) return nameOf(parent);
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent))
    return parent.initializer === node ? parent.name.getText() : "";
  if (ts.isBinaryExpression(parent))
    return parent.right === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
      ? parent.left.getText()
      : "";
  if (ts.isCallExpression(parent) && parent.arguments[1] === node && /\bparam$/.test(parent.expression.getText())) {
    const [name] = parent.arguments;
    return name !== undefined && ts.isStringLiteralLike(name) ? name.text : "";
  }
  return "";
}

function isMachinePath(text: string): boolean {
  if (MACHINE_PATH.test(text)) return true;
  return path.isAbsolute(text) && /^\/[^/]+\/[^/]/.test(text) && existsSync(text);
}
