// Loaded by `node --import` before a job whose packages are not installed: `millrace` is the job's own, unpacked below MILLRACE_UNPACKED;
// what it needs, and `nodejs-polars`, come from the command's installation, everything else is looked for as usual.
import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const unpacked = pathToFileURL(path.join(process.env.MILLRACE_UNPACKED!, path.sep)).href;
const require = createRequire(import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    if (/^millrace(\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL: unpacked });
    try {
      return next(specifier, context);
    } catch (error) {
      const isOurs = context.parentURL?.startsWith(unpacked) || /^nodejs-polars(\/|$)/.test(specifier);
      if (!isOurs) throw error;
      if (context.conditions.includes("import")) return next(specifier, { ...context, parentURL: import.meta.url });
      // `require` looks from the module that called it, whatever the context says
      return { url: pathToFileURL(require.resolve(specifier)).href, shortCircuit: true };
    }
  },
});
