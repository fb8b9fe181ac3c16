import type { BadRecord } from "../source/bad-record.ts";
import { escapeHtml } from "./html.ts";
import { whole } from "./numbers.ts";

const SHOWN = 5;

const where = ({ topic, partition, offset }: BadRecord): string => `${topic}, partition ${partition}, offset ${offset}`;

const heading = (count: number): string => `${whole(count)} bad record${count === 1 ? "" : "s"} left out`;

/** The counted error panel: how many records could not be read, and the first few of them. Empty when there are none. */
export function badPanelHtml(count: number, first: readonly BadRecord[]): string {
  if (count === 0) return "";
  const rows = first
    .slice(0, SHOWN)
    .map(
      (bad) =>
        `<tr><td>${escapeHtml(bad.topic)}</td><td>${bad.partition}</td><td>${bad.offset}</td><td>${escapeHtml(bad.reason)}</td></tr>`,
    );
  const more = count > rows.length ? `<p>and ${whole(count - rows.length)} more</p>` : "";
  const head = ["topic", "partition", "offset", "reason"].map((name) => `<th scope="col">${name}</th>`).join("");
  return (
    `<details class="millrace-bad" open><summary><strong>${heading(count)}</strong></summary>` +
    `<table border="1"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>${more}</details>`
  );
}

export function badPanelText(count: number, first: readonly BadRecord[]): string[] {
  if (count === 0) return [];
  const lines = first.slice(0, SHOWN).map((bad) => `  ${where(bad)}: ${bad.reason}`);
  if (count > lines.length) lines.push(`  and ${whole(count - lines.length)} more`);
  return [`${heading(count)}:`, ...lines];
}
