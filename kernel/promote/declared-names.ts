import ts from "typescript";

/** The names a cell exports itself: `export const x`, `export { x }`. */
export function exportedNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of file.statements) {
    const isExported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
    if (isExported) for (const name of namesOf(statement)) names.add(name);
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause))
      continue;
    for (const { name } of statement.exportClause.elements) names.add(name.text);
  }
  return names;
}

/** The names a cell declares at its top level, values and types alike. */
export function declaredNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of file.statements) for (const name of namesOf(statement)) names.add(name);
  return names;
}

/** The names one top-level statement declares. */
export function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap((d) => boundNames(d.name));
  if (ts.isImportDeclaration(statement)) return importBindings(statement).map((binding) => binding.local);
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isModuleDeclaration(statement) ||
    ts.isImportEqualsDeclaration(statement)
  ) {
    return statement.name !== undefined && ts.isIdentifier(statement.name) ? [statement.name.text] : [];
  }
  return varNames(statement);
}

/** `var` inside a block or loop belongs to the cell, too. */
function varNames(node: ts.Node): string[] {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return [];
  const own =
    ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0
      ? node.declarations.flatMap((declaration) => boundNames(declaration.name))
      : [];
  const inner: string[] = [];
  ts.forEachChild(node, (child) => void inner.push(...varNames(child)));
  return [...own, ...inner];
}

export function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)));
}

export interface ImportBinding {
  readonly local: string;
  /** The exported name; `default`, or `*` for a namespace. */
  readonly imported: string;
  readonly typeOnly: boolean;
}

export function importBindings(statement: ts.ImportDeclaration): ImportBinding[] {
  const clause = statement.importClause;
  if (clause === undefined) return [];
  const wholeType = clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const bindings: ImportBinding[] = [];
  if (clause.name) bindings.push({ local: clause.name.text, imported: "default", typeOnly: wholeType });
  const named = clause.namedBindings;
  if (named !== undefined && ts.isNamespaceImport(named)) {
    bindings.push({ local: named.name.text, imported: "*", typeOnly: wholeType });
  } else if (named !== undefined) {
    for (const element of named.elements) {
      bindings.push({
        local: element.name.text,
        imported: (element.propertyName ?? element.name).text,
        typeOnly: wholeType || element.isTypeOnly,
      });
    }
  }
  return bindings;
}
