import { existsSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { type Problem, problemAt } from "../problem.ts";
import type { Slice } from "../slice.ts";

const SECRET_NAME = /(pass(word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)s?$/i;
const SECRET_VALUE =
  /^(AKIA|ASIA)[0-9A-Z]{16}$|-----BEGIN [A-Z ]*PRIVATE KEY-----|^gh[pousr]_[A-Za-z0-9]{30,}|^github_pat_|^xox[abprs]-|^sk-[A-Za-z0-9_-]{20,}|^eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i;
const MACHINE_PATH =
  /^(\/(home|Users|root|tmp|var|mnt|media|data|opt|srv|work|workspace|etc|private|Volumes)\/|[A-Za-z]:[\\/]|\\\\|~\/|file:\/\/)/;

/** Text in the slice that belongs to this machine, or to nobody's source. */
export function literalProblems({ units, kept }: Slice): Problem[] {
  const problems: Problem[] = [];
  for (const unit of units) {
    if (!kept.has(unit.index)) continue;
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
        const problem = isSecret(node) ? SECRET : isMachinePath(node.text) ? ABSOLUTE : undefined;
        if (problem !== undefined) problems.push(masked(problemAt(unit.cell, node.getStart(), problem), node.text));
      }
      ts.forEachChild(node, visit);
    };
    visit(unit.node);
  }
  return problems;
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
  const parent = node.parent;
  const named =
    (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.initializer === node
      ? parent.name.getText()
      : ts.isBinaryExpression(parent) &&
          parent.right === node &&
          parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
        ? parent.left.getText()
        : "";
  return node.text !== "" && SECRET_NAME.test(named.replace(/["'\]]+$/, ""));
}

function isMachinePath(text: string): boolean {
  if (MACHINE_PATH.test(text)) return true;
  return path.isAbsolute(text) && /^\/[^/]+\/[^/]/.test(text) && existsSync(text);
}
