// The container that JupyterLab loads (webpack's module federation protocol, two functions): it hands over what it shares, then asks
// for the modules that package.json names.
import { plugin } from "./plugin.ts";
import { type ShareScope, sharedFrom } from "./shared.ts";

let scope: ShareScope = {};

const container = {
  init(shared: ShareScope): void {
    scope = shared;
  },
  async get(module: string): Promise<() => unknown> {
    if (module !== "./extension") throw new Error(`millrace-lab has no module ${module}`);
    const made = plugin(await sharedFrom(scope));
    return () => ({ __esModule: true, default: made });
  },
};

const registry = globalThis as unknown as { _JUPYTERLAB?: Record<string, unknown> };
registry._JUPYTERLAB ??= {};
registry._JUPYTERLAB["millrace-lab"] = container;
