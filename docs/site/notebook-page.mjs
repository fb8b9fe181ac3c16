/** A notebook as a page: text as it is, code as code, outputs as the HTML or text they were saved with. */
export function notebookPage({ cells }) {
  return cells
    .map((cell) => {
      const source = textOf(cell.source);
      if (cell.cell_type !== "code") return source;
      return [`\`\`\`ts\n${source}\n\`\`\``, ...(cell.outputs ?? []).map(output)].join("\n\n");
    })
    .join("\n\n");
}

function output({ output_type, data, text, traceback }) {
  if (output_type === "stream") return fenced(textOf(text));
  if (output_type === "error") return fenced(traceback.join("\n"));
  const html = data?.["text/html"];
  // blank lines would end the HTML block in Markdown; braces mean something to the site's generator
  if (html !== undefined) return `<div v-pre class="output">${textOf(html).replace(/\n\s*\n/g, "\n")}</div>`;
  const markdown = data?.["text/markdown"];
  if (markdown !== undefined) return textOf(markdown);
  return data?.["text/plain"] === undefined ? "" : fenced(textOf(data["text/plain"]));
}

const fenced = (text) => `\`\`\`text\n${text.replaceAll("```", "` ` `")}\n\`\`\``;
const textOf = (text) => (Array.isArray(text) ? text.join("") : (text ?? ""));
