import { Refusal } from "../../lib/error.ts";
import { checkCells } from "./cell-program.ts";
import { type Notebook, type RawCell, type RawNotebook, sha256, sourceLines, sourceText } from "./notebook.ts";
import { findParameters, type Parameter, type ParameterValue, parameterNames } from "./parameters.ts";
import { unitsOf } from "./unit.ts";

export interface Injection {
  /** Declarations that replace those of the cell tagged `parameters`. */
  readonly constants: ReadonlyMap<string, ParameterValue>;
  /** Environment variables that the notebook's own `param(…)` calls read. */
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * Judges `name=value` settings against a notebook's parameters: the constants of cells tagged `parameters`, and `param("name", default)`.
 * Throws a {@link Refusal} for a name it does not have, or a value of another type.
 */
export function judgeParameters(notebook: Notebook, settings: readonly string[]): Injection {
  const constants = new Map<string, ParameterValue>();
  const variables = new Map<string, string>();
  if (settings.length === 0) return { constants, variables };
  const cells = checkCells(notebook.cells, notebook.folder);
  const { sites, computed } = findParameters(cells, unitsOf(cells.files));
  for (const setting of settings) {
    const at = setting.indexOf("=");
    const name = at < 0 ? setting : setting.slice(0, at);
    const site = sites.find((candidate) => candidate.name === name);
    if (at > 0 && site === undefined && computed.has(name)) {
      variables.set(parameterNames(name).variable, setting.slice(at + 1)); // judged by param() itself
      continue;
    }
    if (at < 0 || site === undefined) {
      const known = [...new Set([...sites.map((one) => `${one.name}=${one.default}`), ...computed])];
      throw new Refusal({
        code: "UNKNOWN_PARAMETER",
        what: at < 0 ? `-p ${setting} has no value.` : `${notebook.name}.ipynb has no parameter ${name}.`,
        remedies:
          known.length > 0
            ? [`its parameters: ${known.join(", ")}`]
            : ['declare one: param("name", default), or in a cell tagged parameters'],
      });
    }
    const value = converted(site, setting.slice(at + 1));
    if (site.literal === undefined) variables.set(site.variable, String(value));
    else constants.set(name, value);
  }
  return { constants, variables };
}

function converted({ name, type }: Parameter, text: string): ParameterValue {
  if (type === "string") return text;
  if (type === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  throw new Refusal({
    code: "PARAMETER_VALUE",
    what: `-p ${name}=${text}: the parameter is a ${type}.`,
    remedies: [type === "number" ? `-p ${name}=1.5` : `-p ${name}=true`],
  });
}

/** As papermill does: a cell tagged `injected-parameters` after the one tagged `parameters`; an earlier injection is replaced. */
export function injectParameters(raw: RawNotebook, constants: ReadonlyMap<string, ParameterValue>): void {
  if (constants.size === 0) return;
  const tags = (cell: RawCell) => (Array.isArray(cell.metadata?.tags) ? (cell.metadata.tags as string[]) : []);
  const cells = raw.cells.filter((cell) => !tags(cell).includes("injected-parameters"));
  const at = cells.findIndex((cell) => tags(cell).includes("parameters"));
  const source = `// Parameters\n${[...constants].map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`).join("\n")}`;
  cells.splice(at + 1, 0, {
    cell_type: "code",
    id: `injected-${sha256(sourceText(source)).slice(0, 8)}`,
    metadata: { tags: ["injected-parameters"] },
    source: sourceLines(source),
    outputs: [],
    execution_count: null,
  });
  raw.cells = cells;
}
