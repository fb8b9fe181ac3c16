import type { WidgetConstructor } from "./jupyterlab.ts";

/** webpack's share scope: package -> version -> how to get it. */
export type ShareScope = Record<string, Record<string, { get(): Promise<() => unknown> }>>;

/** What JupyterLab shares with its extensions: classes to derive from, and the tokens of its services. */
export interface Shared {
  readonly Widget: WidgetConstructor;
  readonly INotebookTracker: unknown;
  readonly ICommandPalette: unknown;
  readonly IThemeManager: unknown;
  readonly ILayoutRestorer: unknown;
  readonly ISettingRegistry: unknown;
}

export async function sharedFrom(scope: ShareScope): Promise<Shared> {
  const load = async (name: string): Promise<Record<string, any>> => {
    const versions = Object.values(scope[name] ?? {});
    if (versions[0] === undefined) throw new Error(`millrace-lab: this JupyterLab does not share ${name}`);
    return (await versions[0].get())() as Record<string, any>;
  };
  const [widgets, notebook, apputils, application, settings] = await Promise.all(
    [
      "@lumino/widgets",
      "@jupyterlab/notebook",
      "@jupyterlab/apputils",
      "@jupyterlab/application",
      "@jupyterlab/settingregistry",
    ].map(load),
  );
  return {
    Widget: widgets!.Widget,
    INotebookTracker: notebook!.INotebookTracker,
    ICommandPalette: apputils!.ICommandPalette,
    IThemeManager: apputils!.IThemeManager,
    ILayoutRestorer: application!.ILayoutRestorer,
    ISettingRegistry: settings!.ISettingRegistry,
  };
}
