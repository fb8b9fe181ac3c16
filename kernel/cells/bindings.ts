/** The place of one top-level name, shared by every cell that speaks of it: a later cell's redefinition is seen by earlier functions. */
export class Binding {
  v: unknown = undefined;
}

/** All top-level names of a session. */
export class Bindings {
  readonly #byName: Record<string, Binding> = Object.create(null);

  /** What a compiled cell destructures: `$$x` gives the binding of `x`, made at its first mention. */
  readonly forCells: Record<string, Binding> = new Proxy(this.#byName, {
    get: (_, property) => this.of(String(property).slice(2)),
  });

  /** Every name with what it stands for now. */
  values(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#byName).map(([name, { v }]) => [name, v]));
  }

  of(name: string): Binding {
    this.#byName[name] ??= new Binding();
    return this.#byName[name];
  }
}
