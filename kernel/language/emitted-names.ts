/** The names in the emitted code by which it reaches the session. */
export const IMPORT = "$import";
export const META = "$meta";
/** Globals of which a cell has its own, closed with the cell (libraries keep Node's); and what CommonJS modules know of their place. */
export const CELL_LOCALS = ["setTimeout", "setInterval", "setImmediate", "__dirname", "__filename"] as const;
export const bindingName = (name: string) => `$$${name}`;
