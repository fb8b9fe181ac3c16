import ts from "typescript";

/**
 * An enum of constant values as what Node runs once types are stripped: an object that also leads from numbers back to names, and a type of its
 * name. Undefined for one whose values are computed, that is declared in parts, or only declared.
 */
export function enumAsObject(statement: ts.EnumDeclaration, checker: ts.TypeChecker): string | undefined {
  const { name, members, modifiers } = statement;
  const has = (kind: ts.SyntaxKind) => modifiers?.some((modifier) => modifier.kind === kind) === true;
  const parts = checker.getSymbolAtLocation(name)?.declarations ?? [];
  if (has(ts.SyntaxKind.DeclareKeyword) || parts.length !== 1 || members.length === 0) return undefined;
  const entries = new Map<string, string | number>();
  const names: string[] = [];
  for (const member of members) {
    const value = checker.getConstantValue(member);
    if (value === undefined || !(ts.isIdentifier(member.name) || ts.isStringLiteralLike(member.name))) return undefined;
    names.push(member.name.text);
    entries.set(member.name.text, value);
    if (typeof value === "number") entries.set(String(value), member.name.text);
  }
  const fields = [...entries].map(([field, value]) => `${key(field)}: ${JSON.stringify(value)}`);
  const exported = has(ts.SyntaxKind.ExportKeyword) ? "export " : "";
  return [
    `${exported}const ${name.text} = { ${fields.join(", ")} } as const;`,
    `${exported}type ${name.text} = (typeof ${name.text})[${names.map((field) => JSON.stringify(field)).join(" | ")}];`,
  ].join("\n");
}

const key = (field: string) => (/^([A-Za-z_$][\w$]*|\d+)$/.test(field) ? field : JSON.stringify(field));
