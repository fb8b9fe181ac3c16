import { SPARKLINE, sparklinePoints, sparklineText } from "../../../../lib/run/notebook/sparkline.ts";

/** The last minute of a stream as a small line, one point a second, as the kernel kept it. */
export class Sparkline {
  readonly node: SVGSVGElement;
  readonly #line: SVGPolylineElement;
  readonly #title: SVGTitleElement;

  constructor() {
    const svg = <K extends keyof SVGElementTagNameMap>(tag: K) =>
      document.createElementNS("http://www.w3.org/2000/svg", tag);
    this.node = svg("svg");
    this.node.setAttribute("class", "mr-sparkline");
    this.node.setAttribute("width", String(SPARKLINE.width));
    this.node.setAttribute("height", String(SPARKLINE.height));
    this.node.setAttribute("role", "img");
    this.#title = svg("title");
    this.#line = svg("polyline");
    this.node.append(this.#title, this.#line);
  }

  show(perSecond: readonly number[]): void {
    this.#line.setAttribute("points", sparklinePoints(perSecond));
    this.#title.textContent = sparklineText(perSecond);
  }
}
