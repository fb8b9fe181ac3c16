import { button, element } from "../element.ts";
import type { LivePicture } from "./live-comm.ts";

export interface LiveControls {
  readonly node: HTMLElement;
  readonly mode: "append" | "latest" | "last";
  readonly filtered: boolean;
  show(picture: LivePicture): void;
}

const OPS = ["contains", "=", "!=", "<", "<=", ">", ">="];
/** What has no one text or number to compare. */
const NO_FILTER = /^(List|Struct|Binary)/;
const SPEEDS = ["0.1", "0.5", "1", "2", "10", "100"];

/** Pause, step, stop, rewind, speed, view and filter of a live table. */
export function liveControls(
  send: (message: Record<string, unknown>) => void,
  view: (changes: Record<string, unknown>) => void,
): LiveControls {
  const pause = button("Pause", "pause reading", () => send({ do: pause.dataset.do ?? "pause" }));
  const step = button("Step", "take one more batch, and pause", () => send({ do: "step" }));
  const stop = button("Stop", "stop this live frame", () => send({ do: "stop" }));
  const to = element("input", {
    class: "mr-input",
    size: 12,
    placeholder: "-10m, earliest, 0:1500",
    title: "-10m, 2026-01-31T12:00:00Z, earliest, latest, or offsets by partition: 0:1500 1:1498",
    "aria-label":
      "go to: a time ago such as -10m, an ISO time, earliest, latest, or offsets by partition such as 0:1500 1:1498",
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === "Enter") seek();
      event.stopPropagation();
    },
  });
  const seek = () => send({ do: "seek", to: to.value.trim() || "earliest" });
  const rewind = button("Go to", "read from the place in the field beside", seek);
  const speed = select(
    "speed of replay",
    [["", "as it comes"], ...SPEEDS.map((each) => [each, `${each}x`] as const)],
    (value) => send({ do: "speed", speed: value === "" ? null : Number(value) }),
  );
  let mode: LiveControls["mode"] = "append";
  const modes = select(
    "view",
    [
      ["append", "all rows"],
      ["latest", "latest per key"],
      ["last", "last 1,000"],
    ],
    (value) => {
      mode = value as LiveControls["mode"];
      view({ mode });
    },
  );
  let filtered = false;
  /** Names of the columns in the list, by their place: a name may be empty. */
  let filterable: readonly string[] = [];
  let filteredBy: string | undefined;
  const column = select("column to filter by", [["", "filter…"]], () => filter());
  const op = select(
    "comparison",
    OPS.map((each) => [each, each]),
    () => filter(),
  );
  const value = element("input", {
    class: "mr-input",
    size: 10,
    "aria-label": "value to filter by",
    oninput: () => filter(),
    onkeydown: (event: KeyboardEvent) => event.stopPropagation(),
  });
  const filter = () => {
    filteredBy = column.value === "" ? undefined : filterable[Number(column.value)];
    filtered = filteredBy !== undefined && value.value !== "";
    view({ filters: filtered ? [{ column: filteredBy, op: op.value, value: value.value }] : [] });
  };
  const node = element(
    "div",
    { class: "mr-controls", role: "toolbar", "aria-label": "live frame" },
    ...[pause, step, stop, rewind, to, speed, modes, column, op, value],
  );
  return {
    node,
    get mode() {
      return mode;
    },
    get filtered() {
      return filtered;
    },
    show({ status: { state }, columns, key, speed: now }) {
      const paused = state === "paused";
      pause.dataset.do = paused ? "resume" : "pause";
      pause.textContent = paused ? "Resume" : "Pause";
      pause.title = paused ? "resume reading" : "pause reading";
      pause.setAttribute("aria-label", pause.title);
      const over = state === "stopped" || state === "failed";
      for (const each of [stop, rewind, speed]) each.disabled = over;
      for (const each of [pause, step]) each.disabled = over || state === "waiting";
      modes.options[1]!.disabled = key === undefined;
      if (document.activeElement !== speed) speed.value = now === null ? "" : String(now);
      const names = columns.map(({ name }) => name).join("\0");
      if (column.dataset.names === names) return;
      column.dataset.names = names;
      const chosen = String(columns.findIndex(({ name }) => name === filteredBy));
      filterable = columns.map(({ name }) => name);
      column.replaceChildren(
        element("option", { value: "" }, "filter…"),
        ...columns.map(({ name, dtype }, i) =>
          element("option", { value: String(i), disabled: NO_FILTER.test(dtype) }, name),
        ),
      );
      column.value = chosen === "-1" ? "" : chosen;
    },
  };
}

function select(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: (value: string) => void,
): HTMLSelectElement {
  const made = element(
    "select",
    { class: "mr-select", "aria-label": label, title: label },
    ...options.map(([value, text]) => element("option", { value }, text)),
  );
  made.addEventListener("change", () => chosen(made.value));
  return made;
}
