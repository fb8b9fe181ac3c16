import ts from "typescript";
import { bindingName, CELL_LOCALS, IMPORT, META } from "./emitted-names.ts";
import { boundNames, importedNames, isAlias, isUsing, isVar, nestedVars } from "./names.ts";
import { assignmentTarget } from "./patterns.ts";

/**
 * Turns a checked cell into one expression, an async function of the session's bindings within the cell's own timers and place:
 *
 *     ((setTimeout, setInterval, …) => async function ({ $$a, $$f }, $import, $meta) { … return [lastExpression]; })
 *
 * The value comes in an array: returned as it is, an async function would look for its `then`, which a proxy may refuse.
 *
 * Each top-level name lives in a binding object shared by all cells, `$$a.v`: a declaration stores into it, every reference reads it. So functions
 * of earlier cells see later redefinitions, as in Python. Inside a class, enum or namespace its own name stays the local one.
 *
 * @param used is filled with the shared names that the cell reads or stores
 */
export function cellTransformer(
  checker: ts.TypeChecker,
  sharedNames: ReadonlySet<string>,
  userEnd: number,
  used: Set<string>,
) {
  return (context: ts.TransformationContext) => (file: ts.SourceFile) => {
    const { factory } = context;
    const shared = sharedSymbols(file, checker, sharedNames);

    const access = (name: string, at?: ts.Node) => {
      used.add(name);
      const node = factory.createPropertyAccessExpression(factory.createIdentifier(bindingName(name)), "v");
      return at === undefined ? node : standingFor(node, at);
    };
    const store = (name: string, value: ts.Expression) =>
      factory.createExpressionStatement(factory.createAssignment(access(name), value));
    /** The shared name an identifier stands for, unless it is one of the names that are local where it stands. */
    const sharedNameOf = (id: ts.Identifier, symbol: ts.Symbol | undefined) =>
      sharedNames.has(id.text) && symbol !== undefined && shared.has(symbol) && !local.has(symbol)
        ? id.text
        : undefined;

    const local = new Set<ts.Symbol>();
    const withLocal = <T>(names: readonly ts.Identifier[], visitAll: () => T): T => {
      const added = names
        .map((name) => checker.getSymbolAtLocation(name))
        .filter((s) => s !== undefined && !local.has(s));
      for (const symbol of added) local.add(symbol!);
      const result = visitAll();
      for (const symbol of added) local.delete(symbol!);
      return result;
    };

    const visit = (node: ts.Node): ts.Node => {
      if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return node;
      if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return node;
      if (ts.isIdentifier(node)) {
        const name = sharedNameOf(node, sharedNames.has(node.text) ? checker.getSymbolAtLocation(node) : undefined);
        return name === undefined ? node : access(name, node);
      }
      if (ts.isShorthandPropertyAssignment(node)) return visitShorthand(node);
      if (ts.isVariableStatement(node) && isNestedVar(node.declarationList)) {
        const assigned = assignments(node.declarationList);
        if (assigned === undefined) return factory.createEmptyStatement();
        return ts.setTextRange(factory.createExpressionStatement(assigned), node);
      }
      if (ts.isVariableDeclarationList(node) && isNestedVar(node))
        return ts.isForStatement(node.parent)
          ? (assignments(node) as unknown as ts.Node)
          : target(node.declarations[0]!.name);
      if (ts.isCallExpression(node)) {
        if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
          const dynamic = factory.createPropertyAccessExpression(factory.createIdentifier(IMPORT), "dynamic");
          return ts.setTextRange(
            factory.createCallExpression(dynamic, undefined, node.arguments.map(visitExpression)),
            node,
          );
        }
        const callee = detached(node.expression);
        if (callee !== undefined)
          return factory.updateCallExpression(node, callee, undefined, node.arguments.map(visitExpression));
      }
      if (ts.isTaggedTemplateExpression(node)) {
        const tag = detached(node.tag);
        if (tag !== undefined)
          return factory.updateTaggedTemplateExpression(
            node,
            tag,
            undefined,
            visit(node.template) as ts.TemplateLiteral,
          );
      }
      if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
        return factory.createIdentifier(META);
      return ts.visitEachChild(node, visit, context);
    };
    const visitExpression = (node: ts.Expression) => visit(node) as ts.Expression;

    /** `f(x)` becomes `(0, $$f.v)(x)`: the binding must not become `this`. */
    const detached = (callee: ts.Expression) => {
      if (!ts.isIdentifier(callee)) return undefined;
      const seen = visit(callee) as ts.Expression;
      if (seen === callee) return undefined;
      const pair = factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), seen));
      return standingFor(pair, callee);
    };

    /** `{ x }` becomes `{ x: $$x.v }`, in patterns too. */
    const visitShorthand = (node: ts.ShorthandPropertyAssignment) => {
      const name = sharedNameOf(node.name, checker.getShorthandAssignmentValueSymbol(node));
      if (name === undefined) return ts.visitEachChild(node, visit, context);
      const target = access(name, node.name);
      const initial = node.objectAssignmentInitializer;
      return factory.createPropertyAssignment(
        factory.createIdentifier(node.name.text),
        initial === undefined ? target : factory.createAssignment(target, visitExpression(initial)),
      );
    };

    /** `var` where it is not at the top level, but of the cell: what it declares is assigned. */
    const isNestedVar = (list: ts.VariableDeclarationList) =>
      isVar(list) &&
      list.declarations.some(({ name }) => boundNames(name).some((id) => shared.has(checker.getSymbolAtLocation(id)!)));
    const target = (name: ts.BindingName) =>
      assignmentTarget(name, { factory, access: (id) => access(id.text, id), visit });
    const assignments = (list: ts.VariableDeclarationList): ts.Expression | undefined => {
      const each = list.declarations.flatMap(({ name, initializer }) =>
        initializer === undefined ? [] : [factory.createAssignment(target(name), visitExpression(initializer))],
      );
      return each.length === 0
        ? undefined
        : each.reduce<ts.Expression>((all, next) => factory.createComma(all, next), each.shift()!);
    };

    const visitVariables = (statement: ts.VariableStatement): ts.Statement[] => {
      const list = statement.declarationList;
      if (isDeclare(statement)) return [];
      if (isUsing(list)) return [visit(statement) as ts.Statement];
      return list.declarations.flatMap((declaration) => {
        const names = boundNames(declaration.name);
        const pattern = withLocal(names, () =>
          ts.isIdentifier(declaration.name) ? declaration.name : (visit(declaration.name) as ts.BindingName),
        );
        const initializer =
          declaration.initializer === undefined ? undefined : visitExpression(declaration.initializer);
        const single = factory.updateVariableDeclaration(declaration, pattern, undefined, undefined, initializer);
        const kept = factory.createVariableStatement(
          undefined,
          factory.createVariableDeclarationList([single], list.flags),
        );
        return [ts.setTextRange(kept, declaration), ...names.map((id) => store(id.text, localReference(id)))];
      });
    };
    const localReference = (id: ts.Identifier) => factory.createIdentifier(id.text);

    const hoisted: ts.Statement[] = [];
    const visitImport = (statement: ts.ImportDeclaration): void => {
      const clause = statement.importClause;
      if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return;
      const bindings = importedNames(statement).filter((id) => isValueImport(id, checker));
      if (clause !== undefined && bindings.length === 0 && importedNames(statement).length > 0) return;
      const load = factory.createCallExpression(factory.createIdentifier(IMPORT), undefined, [
        statement.moduleSpecifier,
        factory.createArrayLiteralExpression(bindings.map((id) => factory.createStringLiteral(importedAs(id)))),
        ...(statement.attributes === undefined ? [] : [attributesObject(statement.attributes, factory)]),
      ]);
      const awaited = ts.setTextRange(factory.createAwaitExpression(load), statement);
      if (bindings.length === 0) {
        hoisted.push(factory.createExpressionStatement(awaited));
        return;
      }
      const targets = factory.createArrayLiteralExpression(bindings.map((id) => access(id.text)));
      hoisted.push(
        ts.setTextRange(factory.createExpressionStatement(factory.createAssignment(targets, awaited)), statement),
      );
    };

    const functions: ts.Statement[] = [];
    const visitStatement = (statement: ts.Statement, last: boolean): ts.Statement[] => {
      if (ts.isVariableStatement(statement)) return visitVariables(statement);
      if (ts.isImportDeclaration(statement)) {
        visitImport(statement);
        return [];
      }
      if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) return [];
      if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) {
        if (statement.body !== undefined && !isDeclare(statement))
          functions.push(store(statement.name.text, localReference(statement.name)));
        return [ts.visitEachChild(statement, visitUnnamed(statement.name), context)];
      }
      if ((ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement)) && statement.name !== undefined) {
        if (isDeclare(statement)) return [];
        const name = statement.name;
        const kept = withLocal([name], () => ts.visitEachChild(statement, visit, context));
        return [kept, store(name.text, localReference(name))];
      }
      if (ts.isModuleDeclaration(statement) && ts.isIdentifier(statement.name)) {
        const name = statement.name;
        const symbol = checker.getSymbolAtLocation(name);
        if (isDeclare(statement) || symbol === undefined || !(symbol.flags & ts.SymbolFlags.ValueModule)) return [];
        const kept = withLocal([name], () => ts.visitEachChild(statement, visit, context));
        return [kept, store(name.text, localReference(name))];
      }
      if (isAlias(statement)) {
        const kept = withLocal([statement.name], () => ts.visitEachChild(statement, visit, context));
        return standsForValue(statement.name, checker)
          ? [kept, store(statement.name.text, localReference(statement.name))]
          : [kept];
      }
      if (last && ts.isExpressionStatement(statement))
        return [
          ts.setTextRange(factory.createReturnStatement(boxed(visitExpression(statement.expression))), statement),
        ];
      return [visit(statement) as ts.Statement];
    };
    const boxed = (value: ts.Expression) => factory.createArrayLiteralExpression([value]);
    const visitUnnamed = (name: ts.Identifier) => (node: ts.Node) => (node === name ? node : visit(node));

    const own = file.statements.filter((statement) => statement.getStart(file) < userEnd);
    // Every cell is strict already, and a function with patterns as parameters must not say so. A string that stands last is a value.
    const isDirective = (statement: ts.Statement, index: number) =>
      index < own.length - 1 && ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression);
    const body = own.flatMap((statement, index) =>
      isDirective(statement, index) ? [] : visitStatement(statement, index === own.length - 1),
    );
    const parameters = factory.createObjectBindingPattern(
      [...used].map((name) => factory.createBindingElement(undefined, undefined, bindingName(name))),
    );
    const cell = factory.createFunctionExpression(
      [factory.createModifier(ts.SyntaxKind.AsyncKeyword)],
      undefined,
      undefined,
      undefined,
      [parameters, factory.createIdentifier(IMPORT), factory.createIdentifier(META)].map((name) =>
        factory.createParameterDeclaration(undefined, undefined, name),
      ),
      undefined,
      factory.createBlock([...functions, ...hoisted, ...body], true),
    );
    const locals = CELL_LOCALS.map((name) => factory.createParameterDeclaration(undefined, undefined, name));
    const script = factory.createArrowFunction(undefined, undefined, locals, undefined, undefined, cell);
    return factory.updateSourceFile(file, [
      factory.createExpressionStatement(factory.createParenthesizedExpression(script)),
    ]);
  };
}

function sharedSymbols(file: ts.SourceFile, checker: ts.TypeChecker, names: ReadonlySet<string>): Set<ts.Symbol> {
  const symbols = new Set<ts.Symbol>();
  const add = (name: ts.Node | undefined) => {
    const symbol =
      name === undefined || (ts.isIdentifier(name) && !names.has(name.text))
        ? undefined
        : checker.getSymbolAtLocation(name);
    if (symbol !== undefined) symbols.add(symbol);
  };
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      if (isUsing(statement.declarationList)) continue;
      for (const { name } of statement.declarationList.declarations) boundNames(name).forEach(add);
    } else if (ts.isImportDeclaration(statement)) importedNames(statement).forEach(add);
    else if (
      isAlias(statement) ||
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isEnumDeclaration(statement) ||
      ts.isModuleDeclaration(statement)
    )
      add(statement.name);
  }
  nestedVars(file).forEach(add);
  return symbols;
}

/** Gives a made node the place of the one it stands for, its start only: V8 names a call by what follows the callee. */
const standingFor = <T extends ts.Node>(node: T, original: ts.Node): T =>
  ts.setEmitFlags(ts.setTextRange(node, original), ts.EmitFlags.NoTrailingSourceMap);

const isDeclare = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false);

/** False for a name that stands only for types; true as well for what the checker cannot resolve. */
function isValueImport(id: ts.Identifier, checker: ts.TypeChecker): boolean {
  if (ts.isImportSpecifier(id.parent) && id.parent.isTypeOnly) return false;
  return standsForValue(id, checker);
}

function standsForValue(id: ts.Identifier, checker: ts.TypeChecker): boolean {
  const symbol = checker.getSymbolAtLocation(id);
  if (symbol === undefined || !(symbol.flags & ts.SymbolFlags.Alias)) return true;
  const target = checker.getAliasedSymbol(symbol);
  return checker.isUnknownSymbol(target) || (target.flags & ts.SymbolFlags.Value) !== 0;
}

/** The export an imported name stands for: `default`, `*` for the namespace, or its own. */
function importedAs(id: ts.Identifier): string {
  if (ts.isNamespaceImport(id.parent)) return "*";
  if (ts.isImportClause(id.parent)) return "default";
  return ((id.parent as ts.ImportSpecifier).propertyName ?? id).text;
}

function attributesObject(attributes: ts.ImportAttributes, factory: ts.NodeFactory): ts.Expression {
  return factory.createObjectLiteralExpression(
    attributes.elements.map(({ name, value }) =>
      factory.createPropertyAssignment(factory.createStringLiteral(name.text), value),
    ),
  );
}
