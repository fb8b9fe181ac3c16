import { escapeHtml } from "./html.ts";

/** What the topics bring that the schema does not say. Empty when it is as it was. */
export function driftHtml(drift: readonly string[]): string {
  if (drift.length === 0) return "";
  const items = drift.map((line) => `<li>${escapeHtml(line)}</li>`).join("");
  return `<details open><summary><strong>the schema has drifted</strong></summary><ul>${items}</ul></details>`;
}
