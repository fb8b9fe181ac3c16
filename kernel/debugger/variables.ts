import { CELL_LOCALS, IMPORT, META } from "../language/emitted-names.ts";
import type { Inspector } from "./inspector.ts";

/** A variable of the Debug Adapter Protocol. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type?: string | undefined;
  /** To ask for what is in it; 0 when there is nothing. */
  readonly variablesReference: number;
}

/** V8's description of a value, as much of it as is used. */
export interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly className?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly description?: string;
  readonly objectId?: string;
}

interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
  readonly get?: RemoteObject;
  readonly symbol?: unknown;
}

/** What compiled cells have besides the user's names. */
const INNER = new Set<string>([IMPORT, META, "arguments", ...CELL_LOCALS]);
const BINDING = /^\$\$(.+)$/;

/** Values of the stopped program, given out by number until it goes on. */
export class Variables {
  readonly #inspector: Inspector;
  readonly #withTypes: boolean;
  readonly #given = new Map<number, readonly string[]>();
  #last = 0;

  /** @param withTypes false for JupyterLab: its tree shows a variable's type in the place of its value, unless the type is one of Python's or missing */
  constructor(inspector: Inspector, { withTypes = true }: { withTypes?: boolean } = {}) {
    this.#inspector = inspector;
    this.#withTypes = withTypes;
  }

  forget(): void {
    this.#given.clear();
  }

  /** A number for the properties of one object, or of several as one list. */
  refer(...objects: readonly (string | undefined)[]): number {
    const ids = objects.filter((id) => id !== undefined);
    if (ids.length === 0) return 0;
    this.#given.set(++this.#last, ids);
    return this.#last;
  }

  /** The variables behind a number. The names of the session, which cells reach as `$$name.v`, are shown as the user wrote them. */
  async of(reference: number): Promise<Variable[]> {
    const found = new Map<string, Variable>();
    for (const id of this.#given.get(reference) ?? []) {
      for (const property of await this.#properties(id)) {
        const binding = BINDING.exec(property.name)?.[1];
        const name = binding ?? property.name;
        if (INNER.has(name) || found.has(name)) continue;
        const value = binding === undefined ? property.value : await this.#bound(property.value);
        if (value !== undefined) found.set(name, this.describe(name, value));
        else if (property.get !== undefined)
          found.set(name, { name, value: "(getter)", type: this.#typed("accessor"), variablesReference: 0 });
      }
    }
    return [...found.values()];
  }

  describe(name: string, value: RemoteObject): Variable {
    const { type, subtype, className, objectId } = value;
    const kind = this.#typed(className ?? subtype ?? type);
    return { name, value: text(value), type: kind, variablesReference: this.refer(objectId) };
  }

  #typed(type: string): string | undefined {
    return this.#withTypes ? type : undefined;
  }

  async #bound(binding: RemoteObject | undefined): Promise<RemoteObject | undefined> {
    if (binding?.objectId === undefined) return undefined;
    return (await this.#properties(binding.objectId)).find(({ name }) => name === "v")?.value;
  }

  async #properties(objectId: string): Promise<readonly Property[]> {
    const { result } = await this.#inspector.send("Runtime.getProperties", { objectId, ownProperties: true });
    return (result as Property[]).filter(({ symbol }) => symbol === undefined);
  }
}

/** A value in one line. */
export function text({ type, subtype, value, unserializableValue, description }: RemoteObject): string {
  if (type === "string") return JSON.stringify(value);
  if (type === "undefined") return "undefined";
  if (subtype === "null") return "null";
  return (unserializableValue ?? description ?? String(value)).split("\n", 1)[0]!;
}
