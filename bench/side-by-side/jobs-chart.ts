import type { Result } from "./table.ts";

// told apart also by people who confuse red and green (Okabe and Ito)
const COLOURS: Readonly<Record<string, string>> = {
  "quix-streams": "#cc79a7",
  "kafka-streams": "#e69f00",
  millrace: "#0072b2",
  "millrace-2": "#009e73",
};
const [WIDTH, LEFT, RIGHT, TOP, BAR, GAP] = [700, 150, 90, 44, 13, 12];

/** Messages a second since the first message as horizontal bars, a group per job and guarantee; a peer without a figure has no bar but says so. */
export function jobsChart(results: readonly Result[], count: number): string {
  const groups = Map.groupBy(results, ({ workload, guarantee }) => `${workload}, ${guarantee}`);
  const rate = ({ measured }: Result) => (measured === undefined ? 0 : count / measured.secondsSinceFirst);
  const most = Math.max(1, ...results.map(rate));
  const peers = [...new Set(results.map(({ peer }) => peer))];
  const parts: string[] = [];
  let y = TOP;
  for (const [title, ofGroup] of groups) {
    const middle = y + (ofGroup.length * BAR) / 2 + 4;
    parts.push(`<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${title}</text>`);
    for (const result of ofGroup) {
      const width = ((WIDTH - LEFT - RIGHT) * rate(result)) / most;
      const said = result.measured === undefined ? "no figure" : Math.round(rate(result)).toLocaleString("en");
      parts.push(
        `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="${COLOURS[result.peer] ?? "#555555"}"><title>${result.peer}: ${said}</title></rect>` +
          `<text x="${(LEFT + width + 5).toFixed(1)}" y="${y + BAR - 4}" font-size="10">${said}</text>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const legend = peers.map((peer, i) => {
    const x = LEFT + i * 120;
    return `<rect x="${x}" y="26" width="9" height="9" fill="${COLOURS[peer] ?? "#555555"}"/><text x="${x + 13}" y="35">${peer}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Messages a second by job and peer" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" ` +
    `font-family="sans-serif" font-size="11" fill="#222222"><rect width="${WIDTH}" height="${y}" fill="#ffffff"/>` +
    `<text x="${WIDTH / 2}" y="16" text-anchor="middle" font-size="13">Messages a second since the first message</text>${legend.join("")}${parts.join("")}</svg>\n`
  );
}
