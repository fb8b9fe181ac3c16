import ts from "typescript";

/** `readFileSync("names")`: handed to something that opens files. */
export const isOpened = (node: ts.Node): boolean =>
  ts.isCallExpression(node.parent) &&
  /(read|open|load|scan|stream|table|predict)\w*$/i.test(node.parent.expression.getText());
