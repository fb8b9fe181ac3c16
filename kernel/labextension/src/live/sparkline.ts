const POINTS = 60;
const WIDTH = 90;
const HEIGHT = 16;

/** The last minute of a number as a small line, one point a second. */
export class Sparkline {
  readonly node: SVGSVGElement;
  readonly #line: SVGPolylineElement;
  readonly #title: SVGTitleElement;
  readonly #what: string;
  readonly #points: number[] = [];
  #second = 0;

  constructor(what: string) {
    this.#what = what;
    const svg = <K extends keyof SVGElementTagNameMap>(tag: K) =>
      document.createElementNS("http://www.w3.org/2000/svg", tag);
    this.node = svg("svg");
    this.node.setAttribute("class", "mr-sparkline");
    this.node.setAttribute("width", String(WIDTH));
    this.node.setAttribute("height", String(HEIGHT));
    this.node.setAttribute("role", "img");
    this.#title = svg("title");
    this.#line = svg("polyline");
    this.node.append(this.#title, this.#line);
  }

  add(value: number): void {
    const second = Math.floor(Date.now() / 1000);
    if (second === this.#second) this.#points[this.#points.length - 1] = value;
    else this.#points.push(value);
    this.#second = second;
    if (this.#points.length > POINTS) this.#points.shift();
    const most = Math.max(1, ...this.#points);
    const at = (value: number, i: number) =>
      `${((i / (POINTS - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`;
    this.#line.setAttribute("points", this.#points.map(at).join(" "));
    this.#title.textContent = `${this.#what}: ${Math.round(value).toLocaleString("en")} now, ${Math.round(most).toLocaleString("en")} at most in the last minute`;
  }
}
