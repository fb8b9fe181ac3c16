import { Refusal } from "../../lib/error.ts";
import type { MimeBundle } from "../../lib/run/host.ts";
import { toBundle } from "../display/bundle.ts";
import { asJson } from "../display/json.ts";
import { currentRun } from "./cell-run.ts";
import type { KernelHost } from "./notebook-host.ts";

/** Puts the kernel's globals beside Node's: `display`, `page`, `clearOutput`, `prompt`, `confirm`, `cell`. Their types are in kernel/language/globals.d.ts. */
export function installCellGlobals(host: KernelHost): void {
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

  define("display", (value: unknown, options?: { id?: string; metadata?: Record<string, unknown> }) => {
    const shown = new ShownValue(host, options);
    shown.update(value);
    return shown;
  });
  define("page", (value: unknown) => {
    const run = host.cell();
    const add = (bundle: MimeBundle) => run?.displays.take(bundle) && run.pages.push(bundle);
    const bundle = toBundle(value);
    if (!(bundle instanceof Promise)) add(bundle);
    else host.hold(bundle.then(add));
  });
  define("clearOutput", ({ wait = false }: { wait?: boolean } = {}) => host.cell()?.clear(wait));
  define("prompt", (message = "", options: string | { default?: string; password?: boolean } = {}) => {
    const { default: fallback = null, password = false } = typeof options === "string" ? { default: options } : options;
    const ask = host.cell()?.outputs.input;
    if (ask === undefined && fallback === null) throw cannotAsk(message);
    if (ask === undefined) return fallback;
    const answer = ask(message, password);
    return answer === "" && fallback !== null ? fallback : answer;
  });
  define("confirm", (message = "Go on?") => {
    const ask = host.cell()?.outputs.input;
    if (ask === undefined) throw cannotAsk(message);
    const answer = ask(`${message} [y/N] `, false);
    return /^\s*y(es)?\s*$/i.test(answer);
  });
  define("cell", {
    get id() {
      return host.cell()?.id;
    },
    get signal() {
      return host.cell()?.signal;
    },
  });
}

/** Nobody can answer: an invented answer would be a guess. */
const cannotAsk = (message: string) =>
  new Refusal({
    code: "NO_INPUT",
    what: `nobody can be asked ${JSON.stringify(message)}: this client takes no input`,
    remedies: [
      'give an answer to fall back on: prompt("Name?", "nobody")',
      'use param("name", default) for what a headless run sets',
    ],
  });

/** What `display` returns: the display's id, and `update` for another value in its place. */
class ShownValue {
  readonly id: string;
  readonly #host: KernelHost;
  readonly #metadata: Record<string, unknown> | undefined;
  readonly #run = currentRun.getStore();
  #handle: { update(bundle: MimeBundle): void } | undefined;
  #order: Promise<void> | undefined;

  constructor(host: KernelHost, { id, metadata }: { id?: string; metadata?: Record<string, unknown> } = {}) {
    this.#host = host;
    this.id = id === undefined ? crypto.randomUUID() : String(id);
    this.#metadata = metadata && (asJson(metadata, "the metadata of a display") as Record<string, unknown>);
  }

  /** As a cell's last expression the handle itself shows nothing more. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return {};
  }

  update(value: unknown): void {
    const bundle = toBundle(value);
    if (!(bundle instanceof Promise) && this.#order === undefined) this.#show(bundle);
    else {
      // Values that describe themselves asynchronously are shown in the order they were given, before the cell ends.
      this.#order = Promise.all([bundle, this.#order]).then(([ready]) => this.#show(ready));
      this.#host.hold(this.#order);
    }
  }

  #show(bundle: MimeBundle): void {
    if (this.#handle !== undefined) this.#handle.update(bundle);
    else {
      const options = { id: this.id, metadata: this.#metadata };
      const show = () => this.#host.display(bundle, options);
      this.#handle = this.#run === undefined ? show() : currentRun.run(this.#run, show);
    }
  }
}
