import assert from "node:assert/strict";
import { test } from "node:test";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const delta = phones.withColumns(x.diff(1, "ignore").over("device").alias("d"));
const sink = delta.filter(pl.col("d").gt(2)).to("alerts", { key: "device" });

test("a plan as a Mermaid flowchart: sources, verbs with their state marked, sinks, edges between them", () => {
  const lines = sink.explain({ as: "mermaid" }).split("\n");
  assert.equal(lines[0], "flowchart TD");
  assert.match(lines[1]!, /^ {2}n1\[\("topic phones #40;json#41;<br\/>event time: column #34;t#34;.*"\)\]$/);
  assert.match(lines[2]!, /^ {2}n2\["withColumns pl\.col#40;#34;x#34;#41;\.diff.*<br\/>state: one row per key.*"\]$/);
  assert.match(lines[3]!, /^ {2}n3\["filter /);
  assert.match(lines[4]!, /^ {2}n4\[\/"to alerts .*"\/\]$/);
  assert.deepEqual(lines.slice(5), [
    "  n1 --> n2",
    "  n2 --> n3",
    "  n3 --> n4",
    "  classDef state fill:#fff4d6,stroke:#c90,color:#333",
    "  class n2 state",
  ]);
});

test("no label holds a character that would end it", () => {
  const odd = phones.filter(pl.col('a"b]<c>').eq(pl.lit("{`|#\\"))).map(() => ({ z: "]" }), { schema: { z: "Utf8" } });
  for (const line of odd.explain({ as: "mermaid" }).split("\n").slice(1, 4)) {
    const label = /"(.*)"/.exec(line)![1]!.replaceAll("<br/>", "");
    assert.match(label, /^[^"<>`{}[\]()|\\]*$/);
  }
});

test("a picture is shown as Markdown with the flowchart, and as text elsewhere; another form is refused", () => {
  const picture = sink.explain({ as: "picture" });
  const shown = (picture as any)[Symbol.for("Jupyter.display")]();
  assert.ok(shown["text/markdown"].startsWith("```mermaid\nflowchart TD\n"));
  assert.equal(shown["text/plain"], sink.explain());
  assert.throws(
    () => sink.explain({ as: "svg" } as any),
    (error: any) => error.code === "BAD_OPTION",
  );
});
