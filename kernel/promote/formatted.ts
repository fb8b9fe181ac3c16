import ts from "typescript";

/** TypeScript's own formatter: indentation and spacing; where lines break is left to the author. */
export function formatted(text: string): string {
  const file = "main.ts";
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({ target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.NodeNext, noLib: true }),
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => (name === file ? ts.ScriptSnapshot.fromString(text) : undefined),
    getCurrentDirectory: () => "/",
    getDefaultLibFileName: () => "lib.d.ts",
    fileExists: (name) => name === file,
    readFile: (name) => (name === file ? text : undefined),
  });
  const settings: ts.FormatCodeSettings = {
    ...ts.getDefaultFormatCodeSettings("\n"),
    indentSize: 2,
    convertTabsToSpaces: true,
    semicolons: ts.SemicolonPreference.Insert,
  };
  const edits = service.getFormattingEditsForDocument(file, settings);
  let result = text;
  for (const { span, newText } of edits.toReversed()) {
    result = result.slice(0, span.start) + newText + result.slice(span.start + span.length);
  }
  return result;
}
