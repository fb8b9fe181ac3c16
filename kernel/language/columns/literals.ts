import ts from "typescript";

/** The text of a string that stands there as it is. */
export const textOf = (node: ts.Node | undefined): string | undefined =>
  node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;

/** `"a"` or `["a", "b"]` as names; undefined where one is computed. */
export function namesOf(node: ts.Node | undefined): string[] | undefined {
  if (node === undefined) return undefined;
  const nodes = ts.isArrayLiteralExpression(node) ? [...node.elements] : [node];
  const names = nodes.map(textOf);
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** The properties of an object as it stands there; undefined where something else may add to it. */
export function propertiesOf(node: ts.Node | undefined): Map<string, ts.Expression> | undefined {
  if (node === undefined || !ts.isObjectLiteralExpression(node)) return undefined;
  const found = new Map<string, ts.Expression>();
  for (const property of node.properties) {
    if (ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name))
      found.set(property.name.text, property.initializer);
    else if (ts.isShorthandPropertyAssignment(property)) found.set(property.name.text, property.name);
    else if (ts.isMethodDeclaration(property) && !ts.isComputedPropertyName(property.name)) continue;
    else return undefined;
  }
  return found;
}

/** Without what only speaks to the compiler. */
export function bare(node: ts.Expression): ts.Expression {
  let inner = node;
  while (
    ts.isParenthesizedExpression(inner) ||
    ts.isAsExpression(inner) ||
    ts.isNonNullExpression(inner) ||
    ts.isSatisfiesExpression(inner)
  )
    inner = inner.expression;
  return inner;
}
