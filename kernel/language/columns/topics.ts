import ts from "typescript";
import type { TopicMention } from "./known-columns.ts";
import { propertiesOf, textOf } from "./literals.ts";

/** Topics that a cell opens by name and without a schema: what could be sampled before it runs. */
export function topicsIn(source: string): TopicMention[] {
  const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest, true);
  const found: TopicMention[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node)) {
      const mention = topicMention(node);
      if (mention !== undefined) found.push(mention);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** `topic("name", { key, time, format })`, where all of that stands there as text. */
export function topicMention({ expression, arguments: args }: ts.CallExpression): TopicMention | undefined {
  if (!ts.isIdentifier(expression) || expression.text !== "topic") return undefined;
  const name = textOf(args[0]);
  if (name === undefined || name === "") return undefined;
  if (args[1] === undefined) return { name };
  const options = propertiesOf(args[1]);
  if (options === undefined || options.has("schema")) return undefined;
  const mention: Record<string, string> = { name };
  for (const option of ["key", "time", "format"]) {
    const value = options.get(option);
    if (value === undefined) continue;
    const text = textOf(value);
    if (text === undefined) return undefined;
    mention[option] = text;
  }
  return mention as unknown as TopicMention;
}
