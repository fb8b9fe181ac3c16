import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";

/** A piece of code that runs another: a call, `new`, a tagged template, or a property behind which a getter or setter stands. */
export interface Run {
  readonly node: ts.Node;
  /** The function, constructor (or class without one) or accessor that runs. */
  readonly declaration: ts.Node;
}

/** What runs when this code does, as far as the type checker can tell. */
export function runsOf(root: ts.Node, cells: CellProgram): Run[] {
  const { checker } = cells;
  const runs: Run[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isTaggedTemplateExpression(node)) {
      const declaration = checker.getResolvedSignature(node)?.declaration;
      if (declaration !== undefined) runs.push({ node, declaration });
      else if (ts.isNewExpression(node)) {
        // a class that does not write its constructor
        const made = checker.getTypeAtLocation(node).getSymbol()?.valueDeclaration;
        if (made !== undefined) runs.push({ node, declaration: made });
      }
    } else if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      const name = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression;
      for (const declaration of checker.getSymbolAtLocation(name)?.declarations ?? [])
        if (ts.isAccessor(declaration)) runs.push({ node, declaration });
    } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = node.propertyName ?? node.name;
      const type = checker.getTypeAtLocation(node.parent);
      if (ts.isIdentifier(name))
        for (const declaration of type.getProperty(name.text)?.declarations ?? [])
          if (ts.isAccessor(declaration)) runs.push({ node, declaration });
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return runs;
}
