import { tmpdir } from "node:os";
import path from "node:path";
import type { DebugEvent, DebugReply, DebugRequest } from "../messages/debug.ts";
import { Breakpoints } from "./breakpoints.ts";
import { DebuggedCells, HASH_SEED, type LoadedCell } from "./debugged-cells.ts";
import { Inspector } from "./inspector.ts";
import { type RemoteObject, text, type Variable, Variables } from "./variables.ts";

/** JavaScript has the one thread that runs cells. */
const THREAD = 1;
/** Only cells are stepped through: everything else is passed over. */
const NOT_A_CELL = "^(?!cell \\d+$)";
/** At most so many of V8's steps make one line's. */
const STEPS_A_LINE = 100;

interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
  readonly scopeChain: readonly { readonly type: string; readonly object: RemoteObject }[];
}

interface Step {
  readonly method: "Debugger.stepOver" | "Debugger.stepInto" | "Debugger.stepOut";
  readonly line: number;
  readonly depth: number;
  left: number;
}

type Arguments = Readonly<Record<string, any>>;

/**
 * A debug adapter (DAP) over V8's inspector, in the protocol thread: it speaks of cells by their text, and of the lines the user wrote. Nothing is
 * attached, and nothing costs anything, until a client initializes it.
 */
export class Debugger {
  readonly #publish: (event: DebugEvent) => void;
  /** Tells the thread that runs cells to report each cell before it runs, or no longer to. */
  readonly #watchCells: (on: boolean) => void;
  readonly #cells = new DebuggedCells(path.join(tmpdir(), `millrace_${process.pid}`));
  #session: { inspector: Inspector; breakpoints: Breakpoints; variables: Variables } | undefined;
  #frames: readonly Frame[] | undefined;
  #step: Step | undefined;
  #seq = 0;

  constructor(options: { publish: (event: DebugEvent) => void; watchCells: (on: boolean) => void }) {
    this.#publish = options.publish;
    this.#watchCells = options.watchCells;
  }

  get stopped(): boolean {
    return this.#frames !== undefined;
  }

  async answer(request: DebugRequest): Promise<DebugReply> {
    const { command, seq: request_seq } = request;
    const reply = { type: "response", request_seq, command, seq: ++this.#seq } as const;
    try {
      const handler = this.#handlers[command];
      if (handler === undefined) throw new Error(`the debugger has no "${command}"`);
      return { ...reply, success: true, body: (await handler(request.arguments ?? {})) ?? {} };
    } catch (error) {
      return { ...reply, success: false, message: (error as Error).message, body: {} };
    }
  }

  /** A cell is compiled and about to run. */
  async cellLoaded(cell: LoadedCell): Promise<void> {
    this.#cells.loaded(cell);
    // The report comes by another way than V8's word of the script: an answer from V8 comes behind it.
    await this.#session?.inspector.send("Runtime.getIsolateId").catch(() => {});
    await this.#session?.breakpoints.loaded(cell.name);
  }

  /** An interrupt ends a stop as well: the cell is not to go on from there. */
  interrupt(): void {
    if (this.stopped)
      void this.#session?.inspector.send("Debugger.resume", { terminateOnResume: true }).catch(() => {});
  }

  readonly #handlers: Readonly<Record<string, (parameters: Arguments) => unknown>> = {
    debugInfo: () => ({
      isStarted: this.#session !== undefined,
      hashMethod: "Murmur2",
      hashSeed: HASH_SEED,
      tmpFilePrefix: this.#cells.prefix,
      tmpFileSuffix: this.#cells.suffix,
      breakpoints: this.#session?.breakpoints.all ?? [],
      stoppedThreads: this.stopped ? [THREAD] : [],
      richRendering: true,
      exceptionPaths: [],
      copyToGlobals: false,
    }),
    initialize: async ({ clientID }) => {
      await this.#start({ withTypes: clientID !== "jupyterlab" });
      return {
        supportsConfigurationDoneRequest: true,
        supportsConditionalBreakpoints: true,
        supportsEvaluateForHovers: true,
        supportsTerminateRequest: false,
        supportsSetVariable: false,
        exceptionBreakpointFilters: [
          { filter: "raised", label: "Raised Exceptions", default: false },
          { filter: "uncaught", label: "Uncaught Exceptions", default: false },
        ],
      };
    },
    attach: () => this.#event("initialized", {}),
    configurationDone: () => ({}),
    dumpCell: ({ code }) => ({ sourcePath: this.#cells.dump(code) }),
    source: ({ source }) => {
      const content = this.#cells.source(source?.path);
      if (content === undefined) throw new Error(`no cell is known as ${source?.path}`);
      return { content, mimeType: "text/typescript" };
    },
    setBreakpoints: async ({ source, breakpoints }) => ({
      breakpoints: await this.#started().breakpoints.replace(source.path, breakpoints ?? []),
    }),
    setExceptionBreakpoints: async ({ filters = [] }) => {
      const state = filters.includes("raised") ? "all" : filters.includes("uncaught") ? "uncaught" : "none";
      await this.#started().inspector.send("Debugger.setPauseOnExceptions", { state });
      return { breakpoints: filters.map(() => ({ verified: true })) };
    },
    threads: () => ({ threads: [{ id: THREAD, name: "cells" }] }),
    stackTrace: () => {
      const stackFrames = this.#stoppedFrames().map((frame, id) => {
        const { path: file, line, column } = this.#place(frame)!;
        const cell = this.#cells.nameOf(frame.location.scriptId)!;
        return { id, name: frame.functionName || cell, source: { name: cell, path: file }, line, column };
      });
      return { stackFrames, totalFrames: stackFrames.length };
    },
    scopes: ({ frameId }) => this.#scopes(frameId),
    variables: async ({ variablesReference }) => ({
      variables: await this.#started().variables.of(variablesReference),
    }),
    evaluate: async ({ expression, frameId }) => {
      const { value, variablesReference, type } = await this.#evaluate(expression, frameId);
      return { result: value, type, variablesReference };
    },
    inspectVariables: async () => ({ variables: await this.#names() }),
    richInspectVariables: async ({ variableName, frameId }) => {
      const { value } = await this.#evaluate(variableName, frameId);
      return { data: { "text/plain": value }, metadata: {} };
    },
    modules: () => ({ modules: [], totalModules: 0 }),
    continue: async () => {
      await this.#resume("Debugger.resume");
      return { allThreadsContinued: true };
    },
    next: () => this.#resume("Debugger.stepOver"),
    stepIn: () => this.#resume("Debugger.stepInto"),
    stepOut: () => this.#resume("Debugger.stepOut"),
    pause: () => this.#started().inspector.send("Debugger.pause"),
    disconnect: () => this.#stop(),
    terminate: () => this.#stop(),
  };

  async #start({ withTypes }: { withTypes: boolean }): Promise<void> {
    if (this.#session !== undefined) return;
    const inspector = new Inspector();
    inspector.on("Debugger.scriptParsed", ({ url, scriptId }) => this.#cells.parsed(url, scriptId));
    inspector.on("Debugger.paused", (paused) => void this.#paused(paused));
    inspector.on("Debugger.resumed", () => this.#resumed());
    this.#session = {
      inspector,
      breakpoints: new Breakpoints(inspector, this.#cells),
      variables: new Variables(inspector, { withTypes }),
    };
    await inspector.send("Debugger.enable");
    await inspector.send("Debugger.setBlackboxPatterns", { patterns: [NOT_A_CELL] });
    await inspector.send("Debugger.setAsyncCallStackDepth", { maxDepth: 0 });
    this.#watchCells(true);
  }

  /** Takes the debugger off; a cell that stands at a breakpoint goes on. */
  #stop(): void {
    const wasStopped = this.stopped;
    this.#watchCells(false);
    this.#session?.inspector.close();
    this.#session = undefined;
    this.#frames = undefined;
    this.#step = undefined;
    if (wasStopped) this.#event("continued", { threadId: THREAD, allThreadsContinued: true });
    this.#event("terminated", {});
  }

  #started() {
    if (this.#session === undefined) throw new Error("the debugger is not started: initialize it first");
    return this.#session;
  }

  #stoppedFrames(): readonly Frame[] {
    if (this.#frames === undefined) throw new Error("no cell is stopped");
    return this.#frames;
  }

  #place({ location }: Frame) {
    const name = this.#cells.nameOf(location.scriptId);
    return name === undefined ? undefined : this.#cells.original(name, location.lineNumber, location.columnNumber);
  }

  async #paused({
    callFrames,
    reason,
    hitBreakpoints = [],
  }: {
    callFrames: Frame[];
    reason: string;
    hitBreakpoints?: string[];
  }) {
    const session = this.#session;
    const frames = callFrames.filter((frame) => this.#place(frame) !== undefined);
    const step = this.#step;
    if (session === undefined) return;
    if (frames.length === 0) {
      await session.inspector.send("Debugger.resume").catch(() => {});
      return;
    }
    // One line is often several of V8's steps.
    const same = step !== undefined && frames.length === step.depth && this.#place(frames[0]!)!.line === step.line;
    if (same && step.left-- > 0 && hitBreakpoints.length === 0) {
      await session.inspector.send(step.method).catch(() => {});
      return;
    }
    this.#step = undefined;
    this.#frames = frames;
    const why =
      reason === "exception" || reason === "promiseRejection"
        ? "exception"
        : step !== undefined
          ? "step"
          : "breakpoint";
    this.#event("stopped", { reason: why, threadId: THREAD, allThreadsStopped: true });
  }

  #resumed(): void {
    if (!this.stopped) return;
    this.#frames = undefined;
    this.#session?.variables.forget();
    this.#event("continued", { threadId: THREAD, allThreadsContinued: true });
  }

  async #resume(method: Step["method"] | "Debugger.resume"): Promise<void> {
    const frames = this.#stoppedFrames();
    this.#step =
      method === "Debugger.resume"
        ? undefined
        : { method, line: this.#place(frames[0]!)!.line, depth: frames.length, left: STEPS_A_LINE };
    await this.#started().inspector.send(method);
  }

  #scopes(frameId: number) {
    const frame = this.#stoppedFrames()[frameId];
    if (frame === undefined) throw new Error(`there is no frame ${frameId}`);
    const { variables } = this.#started();
    const own = frame.scopeChain.filter(({ type }) => ["local", "block", "catch", "eval", "with"].includes(type));
    const outer = frame.scopeChain.filter(({ type }) => type === "closure");
    const scope = (name: string, scopes: typeof own) => ({
      name,
      variablesReference: variables.refer(...scopes.map(({ object }) => object.objectId)),
      expensive: false,
    });
    return { scopes: [scope("Locals", own), ...(outer.length === 0 ? [] : [scope("Closure", outer)])] };
  }

  async #evaluate(expression: string, frameId: number | undefined): Promise<Variable> {
    const { inspector, variables } = this.#started();
    const frame = frameId === undefined ? undefined : this.#frames?.[frameId];
    const attempt = (code: string) =>
      frame === undefined
        ? inspector.send("Runtime.evaluate", { expression: code, replMode: false })
        : inspector.send("Debugger.evaluateOnCallFrame", { callFrameId: frame.callFrameId, expression: code });
    let { result, exceptionDetails } = await attempt(expression);
    // A name of the session is no variable of V8's: it stands in its binding.
    if (exceptionDetails !== undefined && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(expression.trim())) {
      const name = JSON.stringify(expression.trim());
      ({ result, exceptionDetails } = await attempt(`globalThis[Symbol.for("millrace.names")]()[${name}]`));
      if (result.type === "undefined") exceptionDetails = { text: `${expression} is not defined` };
    }
    if (exceptionDetails !== undefined)
      throw new Error(
        exceptionDetails.exception === undefined ? exceptionDetails.text : text(exceptionDetails.exception),
      );
    return variables.describe(expression, result);
  }

  /** The names of the session, which are there without a stop. */
  async #names(): Promise<Variable[]> {
    const { inspector, variables } = this.#started();
    const { result } = await inspector.send("Runtime.evaluate", {
      expression: 'globalThis[Symbol.for("millrace.names")]?.() ?? {}',
    });
    return variables.of(variables.refer(result.objectId));
  }

  #event(event: DebugEvent["event"], body: unknown): void {
    this.#publish({ seq: ++this.#seq, type: "event", event, body });
  }
}
