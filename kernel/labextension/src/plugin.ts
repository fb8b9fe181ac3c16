import { closeDeletedCells } from "./close-deleted-cells.ts";
import { button, element } from "./element.ts";
import type {
  Application,
  Kernel,
  LayoutRestorer,
  NotebookPanel,
  NotebookTracker,
  Palette,
  Plugin,
  SettingRegistry,
  ThemeManager,
} from "./jupyterlab.ts";
import { keepJournal } from "./keep-journal.ts";
import { isMillrace, KernelConnections } from "./kernel-connections.ts";
import { liveRenderer } from "./live/live-renderer.ts";
import { openPromotePanel } from "./panels/promote-panel.ts";
import { stopStreams } from "./panels/stop-streams.ts";
import { streamsPanel } from "./panels/streams-panel.ts";
import { topicsPanel } from "./panels/topics-panel.ts";
import { plotlyRenderer } from "./plotly/plotly-renderer.ts";
import { saverOf } from "./save-notebook.ts";
import type { Shared } from "./shared.ts";
import css from "./style.css";

const CATEGORY = "Millrace";

/** What JupyterLab starts: renderers in every notebook, the panels at the side, and the commands. */
export function plugin(shared: Shared): Plugin {
  return {
    id: "millrace-lab:plugin",
    description: "Live tables and charts, streams, topics, and promotion of notebooks to jobs",
    autoStart: true,
    requires: [shared.INotebookTracker],
    optional: [shared.ICommandPalette, shared.IThemeManager, shared.ILayoutRestorer, shared.ISettingRegistry],
    activate(
      app: Application,
      tracker: NotebookTracker,
      palette: Palette | null,
      themes: ThemeManager | null,
      restorer: LayoutRestorer | null,
      settings: SettingRegistry | null,
    ) {
      document.head.append(element("style", { id: "millrace-lab" }, css));

      const connections = new KernelConnections(app, tracker);
      tracker.widgetAdded.connect((_, notebook) => {
        notebook.content.rendermime.addFactory(liveRenderer(shared, notebook.sessionContext, connections));
        notebook.content.rendermime.addFactory(plotlyRenderer(shared, themes, notebook.sessionContext, connections));
        keepJournal(notebook);
        saverOf(notebook);
        closeDeletedCells(notebook, connections);
        addPromoteButton(notebook, shared, () => openPromotePanel(shared, app, connections, notebook));
      });

      const streams = streamsPanel(shared, app, connections);
      const topics = topicsPanel(shared, tracker, connections);
      for (const [panel, rank] of [
        [streams, 800],
        [topics, 801],
      ] as const) {
        app.shell.add(panel, "left", { rank });
        restorer?.add(panel, panel.id);
      }

      const commands: readonly [id: string, label: string, execute: () => unknown, enabled?: () => boolean][] = [
        ["millrace:streams", "Show running streams", () => app.shell.activateById(streams.id)],
        ["millrace:topics", "Show topics", () => app.shell.activateById(topics.id)],
        [
          "millrace:promote",
          "Promote this notebook to a job",
          () => tracker.currentWidget && openPromotePanel(shared, app, connections, tracker.currentWidget),
          () => tracker.currentWidget !== null,
        ],
        [
          "millrace:stop-streams",
          "Stop the streams of this notebook",
          () => {
            const kernel = kernelOf(tracker);
            if (kernel !== undefined) stopStreams(kernel, connections);
          },
          () => kernelOf(tracker) !== undefined,
        ],
        [
          "millrace:stop-all-streams",
          "Stop the streams of all notebooks",
          async () => {
            const { kernels } = app.serviceManager;
            await kernels.refreshRunning();
            for (const kernel of kernels.running()) if (isMillrace(kernel)) stopStreams(kernel, connections);
          },
        ],
      ];
      for (const [id, label, execute, isEnabled] of commands) {
        app.commands.addCommand(id, { label, execute, ...(isEnabled && { isEnabled }) });
        palette?.addItem({ command: id, category: CATEGORY });
      }
      tracker.currentChanged.connect(() => app.commands.notifyCommandChanged());

      void settings?.load("millrace-lab:plugin").then((loaded) => {
        const apply = () => document.body.classList.toggle("mr-compact", loaded.composite.density === "compact");
        loaded.changed.connect(apply);
        apply();
      });
    },
  };
}

/** The Millrace kernel of the notebook in front. */
function kernelOf({ currentWidget }: NotebookTracker): Kernel | undefined {
  const kernel = currentWidget?.sessionContext.session?.kernel ?? undefined;
  return isMillrace(kernel) ? kernel : undefined;
}

/** In the toolbar of notebooks whose kernel is Millrace. */
function addPromoteButton(notebook: NotebookPanel, shared: Shared, pressed: () => void): void {
  const press = button("Promote", "promote this notebook to a job", pressed);
  press.classList.add("jp-ToolbarButtonComponent");
  const item = new shared.Widget({ node: element("div", { class: "jp-ToolbarButton mr-promote-button" }, press) });
  const check = () => {
    item.node.hidden = !isMillrace(notebook.sessionContext.session?.kernel);
  };
  item.node.hidden = true;
  notebook.sessionContext.kernelChanged.connect(check);
  void notebook.sessionContext.ready.then(check);
  notebook.toolbar.insertItem(10, "millrace-promote", item);
}
