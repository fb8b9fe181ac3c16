import ts from "typescript";

interface Making {
  readonly factory: ts.NodeFactory;
  /** What a name is assigned to. */
  access(name: ts.Identifier): ts.Expression;
  /** For the expressions within: defaults and computed keys. */
  visit(node: ts.Node): ts.Node;
}

/** The left side of an assignment that gives values to the same names as a declaration: `{ a, b: [c = 1] }` becomes `{ a: $$a.v, b: [$$c.v = 1] }`. */
export function assignmentTarget(name: ts.BindingName, making: Making): ts.Expression {
  const { factory, visit } = making;
  if (ts.isIdentifier(name)) return making.access(name);
  const element = ({ name: inner, initializer }: ts.BindingElement) => {
    const target = assignmentTarget(inner, making);
    return initializer === undefined ? target : factory.createAssignment(target, visit(initializer) as ts.Expression);
  };
  if (ts.isArrayBindingPattern(name))
    return factory.createArrayLiteralExpression(
      name.elements.map((each) => {
        if (ts.isOmittedExpression(each)) return each;
        return each.dotDotDotToken === undefined ? element(each) : factory.createSpreadElement(element(each));
      }),
    );
  return factory.createObjectLiteralExpression(
    name.elements.map((each) => {
      if (each.dotDotDotToken !== undefined) return factory.createSpreadAssignment(element(each));
      const key = each.propertyName ?? (each.name as ts.Identifier);
      const keyed = ts.isComputedPropertyName(key) ? (visit(key) as ts.PropertyName) : key;
      return factory.createPropertyAssignment(
        ts.isIdentifier(keyed) ? factory.createIdentifier(keyed.text) : keyed,
        element(each),
      );
    }),
  );
}
