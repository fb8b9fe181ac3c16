import { escapeHtml } from "./html.ts";

/** What has changed in the topics since reading began, and what they bring that the schema does not say. Empty when all is as it was. */
export function driftHtml(drift: readonly string[]): string {
  if (drift.length === 0) return "";
  const items = drift.map((line) => `<li>${escapeHtml(line)}</li>`).join("");
  return `<details open><summary><strong>the topics have changed</strong></summary><ul>${items}</ul></details>`;
}
