// Loaded by `node --import` before a job whose packages are not installed: `millrace` and `nodejs-polars` then come from the command's own
// installation, everything else is looked for as usual.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^(millrace|nodejs-polars)(\/|$)/.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});
