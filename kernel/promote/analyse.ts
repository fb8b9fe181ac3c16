import { literalProblems, withoutSecrets } from "./checks/literals.ts";
import { nameProblems } from "./checks/names.ts";
import { notebookOnlyProblems } from "./checks/notebook-only.ts";
import { runProblems } from "./checks/runs.ts";
import { typeProblems } from "./checks/types.ts";
import { cellsOf } from "./emit-main.ts";
import { findNeeds, type Needs } from "./modules.ts";
import type { CodeCell, Notebook } from "./notebook.ts";
import { findParameters, type ParameterSite } from "./parameters.ts";
import { type Problem, problemAt } from "./problem.ts";
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
  const hidden = hiddenSinks(notebook);
  const hasSink = [...slice.kept].some(
    ([index, reason]) =>
      reason.kind === "sink" || (reason.kind === "tag" && hidden.some(({ cell }) => cell === slice.units[index]!.cell)),
  );
  const ordered = withoutSecrets(distinct(problems), slice).toSorted(
    (a, b) => (a.cell ?? 0) - (b.cell ?? 0) || (a.line ?? 0) - (b.line ?? 0),
  );
  return {
    notebook,
    slice,
    needs,
    parameters: parameters.sites,
    problems: hasSink
      ? ordered
      : [...(hidden.length > 0 ? hidden.map(({ problem }) => problem) : [NO_SINK]), ...ordered],
  };
}

/** Sinks that cells declared when they ran: where no statement is seen to declare any, they say where to look. */
function hiddenSinks({ cells }: Notebook): { cell: CodeCell; problem: Problem }[] {
  return cells
    .filter(({ execution, tags }) => (execution?.sinks?.length ?? 0) > 0 && !tags.has("skip"))
    .map((cell) => {
      const topics = cell.execution!.sinks!.map(({ topic }) => `"${topic}"`);
      const what = `This cell declared a sink to ${topics.join(", ")} when it ran, but no statement shows which frame's: a job made of the others would write nothing.`;
      const remedies = ['write the call where the frame is known: alerts.to("crash-alerts")', "tag the cell keep"];
      const at = Math.max(0, cell.source.search(/\S/));
      return { cell, problem: problemAt(cell, at, { code: "NO_SINK", what, remedies }) };
    });
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
