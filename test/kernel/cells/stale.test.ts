// A cell that was built on what has changed is told so, in one line, in its own output.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { session } from "./session.ts";

const { run, interpreter } = await session();

/** Runs `id: code` one after the other and gives what each cell was told: cell id -> its stderr, of its latest run. */
async function told(...cells: readonly (readonly [id: string, code: string])[]) {
  const latest = new Map<string, { readonly stderr: string }>();
  for (const [cellId, code] of cells) {
    const outputs = await run(code, { cellId });
    assert.equal(outputs.traceback, "");
    latest.set(cellId, outputs);
  }
  return Object.fromEntries(
    [...latest].filter(([, { stderr }]) => stderr !== "").map(([id, { stderr }]) => [id, stderr]),
  );
}

const line = (name: string, through = "") =>
  new RegExp(
    `^stale: ${name}${through && `, which ${through} was made of,`} was defined anew by cell \\d+; run this cell again\\n$`,
  );

suite("told", () => {
  test("when the cell it took a name from has run again", async () => {
    const { b, ...others } = await told(
      ["a", "const x1 = 1"],
      ["b", "x1 + 1"],
      ["c", "'other'"],
      ["a", "const x1 = 2"],
    );
    assert.match(b!, line("x1"));
    assert.deepEqual(others, {});
  });

  test("by way of the cells between", async () => {
    const { b, c } = await told(["a", "const x2 = 1"], ["b", "const y2 = x2 + 1"], ["c", "y2"], ["a", "const x2 = 2"]);
    assert.match(b!, line("x2"));
    assert.match(c!, line("x2", "y2"));
  });

  test("once, until it runs again", async () => {
    const { b } = await told(["a", "const x3 = 1"], ["b", "x3"], ["a", "const x3 = 2"], ["a", "const x3 = 3"]);
    assert.match(b!, line("x3"));
    assert.deepEqual(await told(["b", "x3"]), {});
    const again = await told(["b", "x3"], ["a", "const x3 = 4"]);
    assert.match(again.b!, line("x3"));
  });
});

suite("not told", () => {
  for (const [what, cells] of [
    [
      "when it names no more than a property of that name",
      [
        ["a", "const x4 = 1"],
        ["b", "({ x4: 5 }).x4"],
        ["a", "const x4 = 2"],
      ],
    ],
    [
      "when another cell takes the name over",
      [
        ["a", "const x5 = 1"],
        ["b", "x5"],
        ["c", "const x5 = 2"],
      ],
    ],
    [
      "when it ran after the change",
      [
        ["a", "const x6 = 1"],
        ["a", "const x6 = 2"],
        ["b", "x6"],
      ],
    ],
    [
      "when it uses its own names",
      [
        ["a", "let x7 = 1; x7++"],
        ["a", "let x7 = 1; x7++"],
      ],
    ],
    [
      "when it was deleted",
      [
        ["a", "const x8 = 1"],
        ["b", "x8"],
      ],
    ],
  ] as const)
    test(what, async () => {
      assert.deepEqual(await told(...cells), {});
      if (what.includes("deleted")) {
        interpreter.closeCell("b", "deleted");
        assert.deepEqual(await told(["a", "const x8 = 2"]), {});
      }
    });
});
