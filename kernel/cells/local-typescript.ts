import { createRequire, stripTypeScriptTypes } from "node:module";
import type TypeScript from "typescript";

interface JavaScript {
  readonly javaScript: string;
  /** As JSON text, where positions have changed. */
  readonly sourceMap?: string;
}

const require = createRequire(import.meta.url);

/**
 * A TypeScript file of the user's. Types become blanks, so that every position stays; what is more than types (enums, parameter properties, decorators)
 * is compiled, which takes the compiler into this thread: only for such files.
 *
 * @throws SyntaxError whose stack names the file and the place
 */
export function localTypeScript(source: string, url: string): JavaScript {
  if (hasDecorators(source)) return compiled(source, url);
  try {
    return { javaScript: withoutWarning(() => stripTypeScriptTypes(source)) };
  } catch {
    return compiled(source, url);
  }
}

/** Of a file that has none this may say otherwise: compiled, it means the same. */
const hasDecorators = (source: string) =>
  /(^|[\s;{}()])@[\p{ID_Start}$_(]/mu.test(source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""));

function compiled(source: string, url: string): JavaScript {
  const ts: typeof TypeScript = require("typescript");
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(source, {
    fileName: url,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2024,
      module: /\.cts(\?|$)/.test(url) ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
      sourceMap: true,
    },
  });
  const [wrong] = (diagnostics ?? []).filter(({ category }) => category === ts.DiagnosticCategory.Error);
  if (wrong?.file !== undefined) {
    const { line, character } = wrong.file.getLineAndCharacterOfPosition(wrong.start ?? 0);
    const error = new SyntaxError(ts.flattenDiagnosticMessageText(wrong.messageText, "\n"));
    error.stack = `SyntaxError: ${error.message}\n    at ${url}:${line + 1}:${character + 1}`;
    throw error;
  }
  return { javaScript: outputText, sourceMap: sourceMapText! };
}

/** Node calls the function experimental, each time. */
function withoutWarning<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
