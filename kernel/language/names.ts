import ts from "typescript";

/** A name that a cell declares at its top level. `let` can be assigned by later cells, everything else is imported by them. */
export interface DeclaredName {
  readonly name: string;
  readonly kind: "let" | "import";
}

/** The names that a cell's top-level statements declare: what later cells see of it. */
export function declaredNames(file: ts.SourceFile): DeclaredName[] {
  const found = new Map<string, DeclaredName["kind"]>();
  // A name that is both a variable and a type has to be imported to keep both meanings.
  const add = (name: string, kind: DeclaredName["kind"]) =>
    found.set(name, found.has(name) && (kind !== "let" || found.get(name) !== "let") ? "import" : kind);
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      if (isUsing(statement.declarationList)) continue;
      const kind = statement.declarationList.flags & ts.NodeFlags.Const ? "import" : "let";
      for (const { name } of statement.declarationList.declarations)
        for (const id of boundNames(name)) add(id.text, kind);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) found.set(statement.name.text, "import");
    } else if (
      ts.isEnumDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement)
    ) {
      add(statement.name.text, "import");
    } else if (ts.isModuleDeclaration(statement)) {
      if (ts.isIdentifier(statement.name) && !(statement.flags & ts.NodeFlags.GlobalAugmentation))
        add(statement.name.text, "import");
    } else if (isAlias(statement)) {
      add(statement.name.text, "import");
    } else if (ts.isImportDeclaration(statement)) {
      for (const id of importedNames(statement)) add(id.text, "import");
    }
  }
  for (const id of nestedVars(file)) add(id.text, "let");
  return [...found].map(([name, kind]) => ({ name, kind }));
}

/** `import Short = Long.Inner`: another name of a namespace or of something in it. */
export const isAlias = (statement: ts.Statement): statement is ts.ImportEqualsDeclaration =>
  ts.isImportEqualsDeclaration(statement) && !ts.isExternalModuleReference(statement.moduleReference);

/** `using` and `await using`: closed when the cell ends, so later cells do not see them. */
export const isUsing = (list: ts.VariableDeclarationList): boolean =>
  (list.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Using ||
  (list.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.AwaitUsing;

/** `var` in a block or in the head of a loop: it belongs to the cell all the same. */
export function nestedVars(file: ts.SourceFile): ts.Identifier[] {
  const found: ts.Identifier[] = [];
  const search = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node)) return;
    if (ts.isVariableDeclarationList(node) && isVar(node))
      for (const { name } of node.declarations) found.push(...boundNames(name));
    ts.forEachChild(node, search);
  };
  for (const statement of file.statements) if (!ts.isVariableStatement(statement)) search(statement);
  return found;
}

export const isVar = (list: ts.VariableDeclarationList): boolean => (list.flags & ts.NodeFlags.BlockScoped) === 0;

export function boundNames(name: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)));
}

export function importedNames({ importClause: clause }: ts.ImportDeclaration): ts.Identifier[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : [clause.name];
  if (clause.namedBindings === undefined) return names;
  if (ts.isNamespaceImport(clause.namedBindings)) return [...names, clause.namedBindings.name];
  return [...names, ...clause.namedBindings.elements.map((element) => element.name)];
}

/** Every identifier text that occurs in a cell: only these can refer to names of earlier cells. */
export function mentionedNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node) => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}
