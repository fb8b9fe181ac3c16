// The parts of JupyterLab's public interface that the extension uses. Its own type packages would bring some hundred packages for these lines;
// the objects themselves come from the running JupyterLab (see shared.ts).

export interface Disposable {
  dispose(): void;
}

export interface Signal<Sender, Args> {
  connect(slot: (sender: Sender, args: Args) => void): boolean;
  disconnect(slot: (sender: Sender, args: Args) => void): boolean;
}

/** `@lumino/widgets` Widget */
export interface Widget extends Disposable {
  readonly node: HTMLElement;
  readonly isDisposed: boolean;
  readonly isVisible: boolean;
  readonly disposed: Signal<Widget, void>;
  id: string;
  title: { label: string; caption: string; icon?: unknown; iconClass: string; closable: boolean };
  addClass(name: string): void;
}

export interface WidgetConstructor {
  new (options?: { node?: HTMLElement }): Widget;
}

export interface CommMessage {
  readonly content: { readonly data: unknown };
  readonly buffers?: readonly (ArrayBuffer | ArrayBufferView)[];
}

export interface Comm extends Disposable {
  open(data?: unknown): unknown;
  send(data: unknown): unknown;
  close(): unknown;
  onMsg: (message: CommMessage) => void;
  onClose: (message: CommMessage) => void;
  readonly isDisposed: boolean;
}

export interface Kernel {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly handleComms: boolean;
  readonly isDisposed: boolean;
  createComm(target: string): Comm;
  readonly anyMessage: Signal<unknown, { readonly direction: "send" | "recv"; readonly msg: KernelMessage }>;
  dispose(): void;
}

export interface KernelMessage {
  readonly header: { readonly msg_id: string; readonly msg_type: string };
  readonly parent_header: { readonly msg_id?: string };
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface SessionContext {
  readonly session: { readonly kernel: Kernel | null } | null;
  readonly path: string;
  readonly ready: Promise<void>;
  readonly kernelChanged: Signal<unknown, unknown>;
  readonly statusChanged: Signal<unknown, string>;
}

export interface RenderModel {
  readonly data: Readonly<Record<string, unknown>>;
}

export interface RendererFactory {
  readonly safe: boolean;
  readonly mimeTypes: readonly string[];
  readonly defaultRank: number;
  createRenderer(options: unknown): Widget & { renderModel(model: RenderModel): Promise<void> };
}

export interface RenderMime {
  addFactory(factory: RendererFactory, rank?: number): void;
}

export interface NotebookPanel extends Widget {
  readonly content: Widget & {
    readonly rendermime: RenderMime;
    readonly activeCellIndex: number;
    readonly model: {
      readonly cells: Iterable<{ readonly id: string; setMetadata(key: string, value: unknown): void }> & {
        readonly changed: Signal<unknown, { readonly type: string }>;
      };
      readonly sharedModel: {
        readonly cells: readonly { getSource(): string }[];
        insertCell(index: number, cell: { cell_type: "code"; source: string }): unknown;
      };
    } | null;
  };
  readonly context: {
    readonly path: string;
    readonly isReady: boolean;
    readonly ready: Promise<void>;
    readonly model: { readonly dirty: boolean };
    readonly saveState: Signal<unknown, "started" | "completed" | "failed">;
    save(): Promise<void>;
  };
  readonly sessionContext: SessionContext;
  readonly toolbar: { insertItem(index: number, name: string, widget: Widget): boolean };
}

export interface NotebookTracker {
  readonly currentWidget: NotebookPanel | null;
  readonly widgetAdded: Signal<NotebookTracker, NotebookPanel>;
  readonly currentChanged: Signal<NotebookTracker, NotebookPanel | null>;
  forEach(visit: (panel: NotebookPanel) => void): void;
}

export interface Application {
  readonly shell: {
    add(widget: Widget, area: "left" | "right" | "main", options?: { rank?: number }): void;
    activateById(id: string): void;
  };
  readonly commands: {
    addCommand(
      id: string,
      options: {
        label: string;
        caption?: string;
        iconClass?: string;
        isEnabled?: () => boolean;
        execute: (args: Record<string, unknown>) => unknown;
      },
    ): Disposable;
    execute(id: string, args?: Record<string, unknown>): Promise<unknown>;
    notifyCommandChanged(id?: string): void;
  };
  readonly serviceManager: {
    readonly sessions: {
      running(): Iterable<{ readonly path: string; readonly kernel: { readonly id: string } | null }>;
      refreshRunning(): Promise<void>;
    };
    readonly kernels: {
      running(): Iterable<{ readonly id: string; readonly name: string }>;
      refreshRunning(): Promise<void>;
      /** By default only the first connection of a kernel handles comms. */
      connectTo(options: { model: { id: string; name: string }; handleComms: boolean }): Kernel;
    };
  };
}

export interface Palette {
  addItem(options: { command: string; category: string }): Disposable;
}

export interface ThemeManager {
  readonly theme: string | null;
  isLight(name: string): boolean;
  readonly themeChanged: Signal<unknown, unknown>;
}

export interface LayoutRestorer {
  add(widget: Widget, name: string): void;
}

export interface Settings {
  readonly composite: Readonly<Record<string, unknown>>;
  readonly changed: Signal<unknown, void>;
}

export interface SettingRegistry {
  load(plugin: string): Promise<Settings>;
}

export interface Plugin {
  readonly id: string;
  readonly description: string;
  readonly autoStart: true;
  readonly requires: readonly unknown[];
  readonly optional: readonly unknown[];
  activate(app: Application, ...services: any[]): void;
}
