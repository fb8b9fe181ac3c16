import type { Page } from "playwright-core";

/** The contrast of the text of visible elements with what is behind it (WCAG 2.2, 1.4.3: 4.5 and more is readable), by selector. */
export async function contrasts(page: Page, selectors: readonly string[]): Promise<Record<string, number>> {
  return page.evaluate((wanted) => {
    type Colour = readonly number[];
    const { document, getComputedStyle } = globalThis as any;
    const colour = (text: string): Colour => {
      const parts = (text.match(/[\d.]+/g) ?? []).map(Number);
      return parts.length < 4 ? [...parts, 1] : parts;
    };
    const over = (top: Colour, under: Colour): Colour => [
      ...[0, 1, 2].map((i) => top[i]! * top[3]! + under[i]! * (1 - top[3]!)),
      1,
    ];
    const luminance = (of: Colour): number => {
      const [red, green, blue] = of.slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const behind = (element: any): Colour => {
      const layers: Colour[] = [];
      for (let each = element; each; each = each.parentElement)
        layers.unshift(colour(getComputedStyle(each).backgroundColor));
      return layers.reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
    };
    const found = wanted.map((selector) => {
      const element = [...document.querySelectorAll(selector)].find(({ offsetParent }: any) => offsetParent !== null);
      if (element === undefined) return [selector, 0];
      const ground = behind(element);
      const [dark, bright] = [luminance(ground), luminance(over(colour(getComputedStyle(element).color), ground))].sort(
        (a, b) => a - b,
      );
      return [selector, Math.round(((bright! + 0.05) / (dark! + 0.05)) * 100) / 100];
    });
    return Object.fromEntries(found);
  }, selectors);
}
