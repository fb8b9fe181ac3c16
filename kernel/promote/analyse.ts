import { literalProblems } from "./checks/literals.ts";
import { nameProblems } from "./checks/names.ts";
import { notebookOnlyProblems } from "./checks/notebook-only.ts";
import { runProblems } from "./checks/runs.ts";
import { typeProblems } from "./checks/types.ts";
import { cellsOf } from "./emit-main.ts";
import { findNeeds, type Needs } from "./modules.ts";
import type { Notebook } from "./notebook.ts";
import { findParameters, type ParameterSite } from "./parameters.ts";
import type { Problem } from "./problem.ts";
import { type Slice, sliceNotebook } from "./slice.ts";

/** What promotion knows of a notebook without running anything. */
export interface Analysis {
  readonly notebook: Notebook;
  readonly slice: Slice;
  readonly needs: Needs;
  readonly parameters: readonly ParameterSite[];
  readonly problems: readonly Problem[];
}

/** Slices a notebook and looks for every reason not to promote it; in document order. */
export function analyse(notebook: Notebook): Analysis {
  const slice = sliceNotebook(notebook);
  const needs = findNeeds(slice, notebook.folder);
  const keptUnits = slice.units.filter((unit) => slice.kept.has(unit.index));
  const parameters = findParameters(slice.cells, keptUnits);
  const problems = [
    ...runProblems(cellsOf(slice), notebook.cells),
    ...nameProblems(slice),
    ...typeProblems(slice),
    ...notebookOnlyProblems(slice),
    ...parameters.problems,
    ...needs.problems,
    ...literalProblems(slice),
  ];
  const hasSink = [...slice.kept.values()].some((reason) => reason.kind === "sink");
  const ordered = distinct(problems).toSorted((a, b) => (a.cell ?? 0) - (b.cell ?? 0) || (a.line ?? 0) - (b.line ?? 0));
  return {
    notebook,
    slice,
    needs,
    parameters: parameters.sites,
    problems: hasSink ? ordered : [NO_SINK, ...ordered],
  };
}

const NO_SINK: Problem = {
  code: "NO_SINK",
  what: "The notebook declares no sink, so a job made of it would write nothing.",
  remedies: ['end a frame with .to("topic"), for instance: alerts.to("crash-alerts", { key: "device" })'],
};

/** One report per place and rule; an unresolved import is known to the type checker and to the search for files. */
function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, cell, line, what }) => {
    const detail = code === "UNRESOLVED_IMPORT" ? "" : what;
    const place = `${code} ${cell} ${line} ${detail}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}
