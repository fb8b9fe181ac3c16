import { readdirSync } from "node:fs";
import path from "node:path";

const pages = path.resolve(import.meta.dirname, "../pages");
const titled = (folder) =>
  readdirSync(path.join(pages, folder))
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => ({
      text: name.replace(/\.md$/, "").replaceAll("-", " "),
      link: `/${folder}/${name.replace(/\.md$/, "")}`,
    }));

export default {
  title: "Millrace",
  description: "Kafka topics as live Polars frames, in notebooks and in jobs",
  srcDir: "pages",
  outDir: "dist",
  base: process.env.MILLRACE_DOCS_BASE ?? "/",
  // nothing is fetched from elsewhere: fonts, search and scripts come along
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Start", link: "/start" },
      { text: "Cookbook", link: "/cookbook" },
      { text: "Reference", link: "/api/" },
    ],
    sidebar: [
      { text: "Guide", items: ["start", "concepts", "cookbook", "testing"].map(page) },
      { text: "Notebooks", items: titled("notebooks") },
      {
        text: "Facts",
        items: ["expressions", "reliability", "performance", "operating", "clients", "comparison", "architecture"].map(
          page,
        ),
      },
      { text: "Reference", items: [{ text: "API", link: "/api/" }] },
      { text: "Decisions", collapsed: true, items: titled("decisions") },
    ],
    outline: [2, 3],
  },
};

function page(name) {
  return { text: name[0].toUpperCase() + name.slice(1), link: `/${name}` };
}
