import path from "node:path";

/** Declarations of the kernel's own globals, for the language service. */
export const globalsFile = path.join(import.meta.dirname, "globals.d.ts");
