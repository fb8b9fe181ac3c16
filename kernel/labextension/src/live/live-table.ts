import { tableFromIPC } from "@uwdata/flechette";
import { button, element } from "../element.ts";
import { ownKeys } from "../own-keys.ts";
import { cellText, columnWidth, isNumber, numberWidth } from "./cell-text.ts";
import { type GridPlace, moved } from "./grid-cursor.ts";
import type { LivePicture } from "./live-comm.ts";
import { type LiveControls, liveControls } from "./live-controls.ts";
import { Sparkline } from "./sparkline.ts";

/** Unless the program says otherwise. */
const ROWS_SHOWN = 15;
const ROWS_LEAST = 3;
/** Of more rows the page itself would be slow. */
const ROWS_MOST = 100;
/** Of the head, in rows. */
const HEAD = 2;
let tables = 0;

/**
 * A table of which only the part on screen is there: the kernel is asked for the rows and columns one scrolls to. Cells stay and change their
 * text, so nothing flickers.
 */
export class LiveTable {
  readonly node: HTMLElement;
  readonly #send: (message: Record<string, unknown>) => void;
  readonly #line = element("span", { class: "mr-line", role: "status", "aria-live": "off" });
  readonly #spark = new Sparkline();
  readonly #controls: LiveControls;
  readonly #scroll: HTMLElement;
  readonly #space = element("div", { class: "mr-space" });
  readonly #head = element("div", { class: "mr-head", role: "row", "aria-rowindex": 1 });
  readonly #body = element("div", { class: "mr-body", role: "rowgroup" });
  readonly #none = element("p", { class: "mr-none", role: "status", hidden: true });
  readonly #said = element("pre", { class: "mr-said", role: "alert", hidden: true });
  readonly #bad = element("pre", { class: "mr-bad", hidden: true });
  /** Why what was asked for last could not be done: said until something else is asked for, whatever rows come in the meantime. */
  #refused = "";
  #picture: LivePicture | undefined;
  /** Where each column begins, px, and where the last one ends. */
  #edges: readonly number[] = [0];
  /** Of columns whose numbers need more than most do, px. */
  readonly #wide = new Map<string, number>();
  /** Height of a row, px: the style sheet says it, by the density that is set. */
  #row = 22;
  /** Rows at a time. */
  #shown = ROWS_SHOWN;
  /** Rows that there is room for: as many as there were at most. */
  #room = ROWS_LEAST;
  #request = 0;
  #follow = true;
  #sort: { column: string; descending: boolean } | undefined;
  /** What was on screen: key or place -> texts, to mark what changed. */
  #before = new Map<string, readonly string[]>();
  /** How many rows there were when it was last looked, those that are not kept any more included. */
  #seen = 0;
  /** The cell that keys are about; none before the first key. */
  #cursor: GridPlace | undefined;
  readonly #name = `mr-table-${++tables}`;

  constructor(title: string, send: (message: Record<string, unknown>) => void) {
    this.#send = send;
    this.#controls = liveControls(
      (order) => {
        this.refuse("");
        send(order);
      },
      (view) => this.#arrange(view),
    );
    this.#scroll = element(
      "div",
      {
        class: "mr-scroll",
        role: "grid",
        tabindex: 0,
        "aria-label": `live table of ${title}`,
        style: `height:${(ROWS_LEAST + 2) * this.#row}px`,
      },
      this.#space,
    );
    this.#space.append(this.#head, this.#body, this.#none);
    this.#scroll.addEventListener("scroll", () => this.#scrolled());
    this.#scroll.addEventListener("keydown", (event) => this.#pressed(event));
    this.node = ownKeys(
      element(
        "div",
        { class: "mr-live" },
        this.#controls.node,
        element("div", { class: "mr-status" }, this.#spark.node, this.#line),
        this.#said,
        this.#scroll,
        this.#bad,
      ),
    );
  }

  show(picture: LivePicture, bytes: Uint8Array): void {
    if (picture.request < this.#request) return; // the answer to an older question
    const former = this.#picture;
    this.#picture = picture;
    this.#row = Number.parseFloat(getComputedStyle(this.node).getPropertyValue("--mr-row")) || this.#row;
    this.#line.textContent = picture.status.line;
    this.#spark.show(picture.status.history);
    this.#controls.show(picture);
    this.say(picture.failed ?? this.#refused);
    this.#bad.hidden = picture.bad === "";
    this.#bad.textContent = picture.bad;
    const drawn = picture.columns.length > 0;
    this.#none.hidden = drawn && picture.total > 0;
    this.#none.textContent = nothing(picture, this.#controls.filtered);
    this.#scroll.hidden = picture.failed !== undefined && picture.total === 0;
    this.#shown = Math.max(1, Math.min(ROWS_MOST, picture.rows ?? ROWS_SHOWN));
    if (drawn) this.#room = Math.max(Math.min(this.#room, this.#shown), Math.min(this.#shown, picture.total));
    // where columns go on to the right, the bar to scroll by takes room of its own
    const bar = this.#scroll.offsetHeight - this.#scroll.clientHeight;
    const height = `${(this.#room + 2) * this.#row + bar}px`;
    if (this.#scroll.style.height !== height) this.#scroll.style.height = height;
    this.#space.style.height = drawn ? `${(picture.total + HEAD) * this.#row}px` : "";
    const texts = this.#texts(picture, bytes);
    this.#edges = edges(picture.columns, this.#wide);
    this.#space.style.width = `${this.#edges.at(-1)}px`;
    this.#scroll.setAttribute("aria-rowcount", String(picture.total + 1));
    this.#scroll.setAttribute("aria-colcount", String(picture.columns.length));
    if (this.#follow && former?.total !== picture.total) this.#toEnd();
    this.#drawHead(picture);
    this.#drawRows(picture, texts);
  }

  /** The rows as they are written, and how wide their numbers are. */
  #texts({ columns, columnFrom, columnCount, key }: LivePicture, bytes: Uint8Array): readonly (readonly string[])[] {
    const table = tableFromIPC(bytes, { useDate: false, useBigInt: true });
    const vectors = table.schema.fields.map((_, i) => table.getChildAt(i));
    const shown = [
      ...columns.slice(columnFrom, columnFrom + columnCount),
      ...columns.filter(({ name }) => name === key),
    ];
    return Array.from({ length: table.numRows }, (_, r) =>
      vectors.map((vector, c) => {
        const { name, dtype } = shown[c]!;
        const text = cellText(vector.at(r), dtype);
        if (isNumber(dtype) && numberWidth(text) > (this.#wide.get(name) ?? columnWidth(name, dtype)))
          this.#wide.set(name, numberWidth(text));
        return text;
      }),
    );
  }

  refuse(message: string): void {
    this.#refused = message;
    this.say(message);
  }

  say(message: string): void {
    this.#said.hidden = message === "";
    this.#said.textContent = message;
  }

  #toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #drawHead({ columns, columnFrom }: LivePicture): void {
    const shown = columns.slice(columnFrom, columnFrom + this.#columnCount());
    fit(this.#head, shown.length, () => button("", "", () => {}));
    shown.forEach(({ name, dtype }, i) => {
      const cell = this.#head.children[i] as HTMLButtonElement;
      const sorted = this.#sort?.column === name ? (this.#sort.descending ? " ▼" : " ▲") : "";
      cell.className = "mr-th";
      cell.setAttribute("role", "columnheader");
      cell.setAttribute("aria-colindex", String(columnFrom + i + 1));
      cell.setAttribute("aria-sort", sorted === "" ? "none" : this.#sort!.descending ? "descending" : "ascending");
      cell.setAttribute("aria-label", `${name}, ${dtype}: sort`);
      cell.title = `${name}: ${dtype} (sort)`;
      this.#place(cell, columnFrom + i);
      cell.onclick = () => this.#sortBy(name);
      const [label, type] = [`${name}${sorted}`, dtype];
      if (cell.dataset.text !== label + type) {
        cell.dataset.text = label + type;
        cell.replaceChildren(element("b", {}, label), element("small", {}, type));
      }
    });
  }

  #drawRows(picture: LivePicture, rows: readonly (readonly string[])[]): void {
    const { columns, columnFrom, columnCount, from, key, total, status } = picture;
    const names = columns.slice(columnFrom, columnFrom + columnCount).map(({ name }) => name);
    const keyShown = key === undefined ? -1 : names.indexOf(key);
    const keyAt = keyShown < 0 && (rows[0]?.length ?? 0) > columnCount ? columnCount : keyShown;
    const byKey = this.#controls.mode === "latest" && keyAt >= 0;
    fit(this.#body, rows.length, () => element("div", { class: "mr-row", role: "row" }));
    const now = new Map<string, readonly string[]>();
    const given = status.dropped + status.kept;
    if (given < this.#seen) this.#seen = 0; // read anew from another place
    for (let r = 0; r < rows.length; r++) {
      const row = this.#body.children[r] as HTMLElement;
      row.style.top = `${(from + r + 2) * this.#row}px`;
      row.setAttribute("aria-rowindex", String(from + r + 2));
      fit(row, names.length, () => element("div", { class: "mr-td", role: "gridcell" }));
      const texts = rows[r]!;
      const number = given - total + from + r;
      const place = byKey ? `${columnFrom} ${texts[keyAt]}` : `${columnFrom} ${number}`;
      const before = this.#before.get(place);
      now.set(place, texts);
      // a row is new when more were given than when it was last looked; with a sort or filter, places say nothing
      const isNew = byKey
        ? before === undefined && this.#before.size > 0
        : this.#sort === undefined && !this.#controls.filtered && this.#seen > 0 && number >= this.#seen;
      row.classList.toggle("mr-new", isNew);
      texts.slice(0, columnCount).forEach((text, c) => {
        const cell = row.children[c] as HTMLElement;
        this.#place(cell, columnFrom + c);
        cell.setAttribute("aria-colindex", String(columnFrom + c + 1));
        cell.id = `${this.#name}-${from + r}-${columnFrom + c}`;
        cell.classList.toggle("mr-number", isNumber(columns[columnFrom + c]!.dtype));
        cell.classList.toggle("mr-changed", byKey && before !== undefined && before[c] !== text);
        if (cell.textContent !== text) {
          cell.textContent = text;
          cell.title = text;
        }
      });
    }
    this.#showCursor();
    this.#before = now;
    this.#seen = given;
  }

  #place(cell: HTMLElement, column: number): void {
    cell.style.left = `${this.#edges[column]}px`;
    cell.style.width = `${this.#edges[column + 1]! - this.#edges[column]!}px`;
  }

  #pressed(event: KeyboardEvent): void {
    const picture = this.#picture;
    if (event.target !== this.#scroll || picture === undefined) return;
    const top = Math.ceil(this.#scroll.scrollTop / this.#row);
    const here = this.#cursor ?? { row: top, column: this.#columnFrom() };
    const to = moved(event, here, Math.max(1, this.#shown - 1), picture.total, picture.columns.length);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#cursor = to;
    this.#scrollTo(to);
    this.#showCursor();
  }

  #scrollTo({ row, column }: GridPlace): void {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.#scroll;
    const [top, bottom] = [row * this.#row, (row + 1 + HEAD) * this.#row];
    if (top < scrollTop) this.#scroll.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.#scroll.scrollTop = bottom - clientHeight;
    const [left, right] = [this.#edges[column]!, this.#edges[column + 1]!];
    if (left < scrollLeft) this.#scroll.scrollLeft = left;
    else if (right > scrollLeft + clientWidth) this.#scroll.scrollLeft = Math.min(left, right - clientWidth);
  }

  /** The focus stays on the grid; which cell is meant is told by its id, and goes as rows come and go. */
  #showCursor(): void {
    const id = this.#cursor && `${this.#name}-${this.#cursor.row}-${this.#cursor.column}`;
    for (const former of this.#body.querySelectorAll(".mr-cursor"))
      if (former.id !== id) former.classList.remove("mr-cursor");
    const cell = id === undefined ? null : this.#body.querySelector(`#${id}`);
    cell?.classList.add("mr-cursor");
    if (cell === null) this.#scroll.removeAttribute("aria-activedescendant");
    else this.#scroll.setAttribute("aria-activedescendant", cell.id);
  }

  /** Before the first picture widths are not known: enough for any. */
  #columnCount(): number {
    const right = this.#scroll.scrollLeft + (this.#scroll.clientWidth || 1000);
    const end = this.#edges.findIndex((edge) => edge >= right);
    return this.#picture === undefined ? 20 : (end === -1 ? this.#edges.length - 1 : end) - this.#columnFrom();
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    this.#head.style.top = `${scrollTop}px`;
    // where rows are sorted, the last are no newer than others
    const follow = this.#sort === undefined && scrollTop + clientHeight >= scrollHeight - this.#row / 2;
    if (follow && this.#follow && this.#picture?.columnFrom === this.#columnFrom()) return;
    this.#follow = follow;
    this.#ask({});
  }

  #columnFrom(): number {
    return Math.max(
      0,
      this.#edges.findLastIndex((edge) => edge <= this.#scroll.scrollLeft),
    );
  }

  #sortBy(column: string): void {
    if (this.#sort?.column !== column) this.#sort = { column, descending: false };
    else this.#sort = this.#sort.descending ? undefined : { column, descending: true };
    this.#arrange({ sort: this.#sort ?? null });
  }

  /** Another view: from its end, or from its beginning where it is sorted. */
  #arrange(changes: Record<string, unknown>): void {
    this.#follow = this.#sort === undefined;
    if (!this.#follow) this.#scroll.scrollTop = 0;
    this.#ask(changes);
  }

  /** Asks for what is on screen now, with these changes of the view. */
  #ask(changes: Record<string, unknown>): void {
    this.#before.clear();
    this.#send({
      do: "view",
      request: ++this.#request,
      view: {
        from: Math.max(0, Math.floor(this.#scroll.scrollTop / this.#row) - 2),
        count: this.#shown + 6,
        columnFrom: this.#columnFrom(),
        columnCount: this.#columnCount(),
        follow: this.#follow,
        ...changes,
      },
    });
  }
}

function edges(columns: LivePicture["columns"], wide: ReadonlyMap<string, number>): number[] {
  const at = [0];
  for (const { name, dtype } of columns) at.push(at.at(-1)! + (wide.get(name) ?? columnWidth(name, dtype)));
  return at;
}

/** Why the table is empty. */
function nothing({ columns, status }: LivePicture, filtered: boolean): string {
  if (columns.length === 0 && status.rowsOut > 0) return `${status.rowsOut.toLocaleString("en")} rows without columns`;
  return filtered ? "no row matches the filter" : "no rows yet";
}

/** So many children, keeping those that are there. */
function fit(parent: HTMLElement, count: number, make: () => HTMLElement): void {
  while (parent.childElementCount > count) parent.lastElementChild!.remove();
  while (parent.childElementCount < count) parent.append(make());
}
