import type { MimeBundle } from "../../lib/run/host.ts";
import type { CellOutputs, ErrorContent, Metadata } from "../cells/outputs.ts";
import { type RawOutput, sourceLines } from "./notebook.ts";

/** The outputs of all cells of a headless run, as nbformat stores them; updates of a display change every output that shows it. */
export class NotebookOutputs {
  readonly #shown = new Map<string, RawOutput[]>();

  /** Where one cell's output goes; `outputs` is the list that is saved. */
  forCell(outputs: RawOutput[]): CellOutputs {
    return new SavedOutputs(outputs, this.#shown);
  }
}

class SavedOutputs implements CellOutputs {
  readonly #outputs: RawOutput[];
  readonly #shown: Map<string, RawOutput[]>;
  #clearBeforeNext = false;

  constructor(outputs: RawOutput[], shown: Map<string, RawOutput[]>) {
    this.#outputs = outputs;
    this.#shown = shown;
  }

  stream(name: "stdout" | "stderr", text: string): void {
    const last = this.#outputs.at(-1);
    if (!this.#clearBeforeNext && last?.output_type === "stream" && last.name === name) {
      last.text = sourceLines([...(last.text as string[]), text].join(""));
    } else this.#add({ output_type: "stream", name, text: sourceLines(text) });
  }

  display(bundle: MimeBundle, metadata: Metadata, displayId: string): void {
    const output = { output_type: "display_data", data: stored(bundle), metadata };
    this.#add(output);
    this.#shown.set(displayId, [...(this.#shown.get(displayId) ?? []), output]);
  }

  updateDisplay(bundle: MimeBundle, metadata: Metadata, displayId: string): void {
    for (const output of this.#shown.get(displayId) ?? []) {
      output.data = stored(bundle);
      output.metadata = { ...output.metadata, ...metadata };
    }
  }

  clear(wait: boolean): void {
    if (wait) this.#clearBeforeNext = true;
    else this.#outputs.length = 0;
  }

  result(executionCount: number, bundle: MimeBundle, metadata: Metadata): void {
    this.#add({ output_type: "execute_result", execution_count: executionCount, data: stored(bundle), metadata });
  }

  error({ ename, evalue, traceback }: ErrorContent): void {
    this.#add({ output_type: "error", ename, evalue, traceback: [...traceback] });
  }

  #add(output: RawOutput): void {
    if (this.#clearBeforeNext) this.#outputs.length = 0;
    this.#clearBeforeNext = false;
    this.#outputs.push(output);
  }
}

/** nbformat keeps text as lines, and JSON types as they are. */
function stored(bundle: MimeBundle): MimeBundle {
  const text = ([mime, data]: [string, unknown]) => [
    mime,
    typeof data === "string" && !/json$/.test(mime) ? sourceLines(data) : data,
  ];
  return Object.fromEntries(Object.entries(bundle).map((entry) => text(entry)));
}
