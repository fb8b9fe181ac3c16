import ts from "typescript";

/**
 * How cells are checked: strictly, but without the rules that would refuse a sound exploratory cell. `any` that nobody wrote is allowed
 * (see `toleratedCodes`) rather than switched on, because without `noImplicitAny` an empty array would become `never[]`.
 */
export const cellCompilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.esnext.d.ts"],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: [],
  strict: true,
  strictPropertyInitialization: false,
  useUnknownInCatchVariables: false,
  noUncheckedSideEffectImports: false,
  esModuleInterop: true,
  resolveJsonModule: true,
  allowImportingTsExtensions: true,
  allowJs: true,
  checkJs: false,
  maxNodeModuleJsDepth: 0,
  preserveConstEnums: true,
  skipLibCheck: true,
  sourceMap: true,
  inlineSources: false,
  removeComments: false,
  newLine: ts.NewLineKind.LineFeed,
};

/** Diagnostics that do not keep a cell from running: what is missing at run time says so itself, an implicit `any` harms nobody. */
export function isTolerated(diagnostic: ts.Diagnostic): boolean {
  return diagnostic.category !== ts.DiagnosticCategory.Error || TOLERATED.has(diagnostic.code);
}

const TOLERATED: ReadonlySet<number> = new Set([
  2307, // cannot find module: Node's own error names the module and where it was looked for
  2882, // cannot find module of a side-effect import
  7005,
  7006,
  7008,
  7009,
  7010,
  7011,
  7013,
  7015,
  7016,
  7017,
  7018,
  7019,
  7020,
  7022,
  7023,
  7024,
  7025,
  7031,
  7032,
  7033,
  7034,
  7050,
  7051,
  7052,
  7053,
  7055,
  7056,
  7057,
  7058, // implicit any in its many forms
]);
