import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { sharedMembers } from "../../lib/polars/shared-members.ts";

const lib = path.resolve(import.meta.dirname, "../../lib");

// without the proxies, which hide what an object has
const PROGRAM = `
  globalThis.Proxy = function (target) { return target; };
  const { pl } = await import("file://${lib}/index.ts");
  const members = (value) => {
    const names = new Set();
    for (let at = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) for (const key of Reflect.ownKeys(at)) names.add(String(key));
    names.delete("Symbol(closed over)");
    return [...names];
  };
  const frame = pl.DataFrame({ a: [1, 2, 3] });
  console.log(JSON.stringify({
    shared: !Object.hasOwn(pl.col("a"), "abs"),
    rows: frame.filter(pl.col("a").gt(1)).rows(),
    expr: members(pl.col("a")), series: members(pl.Series("a", [1])), lazy: members(frame.lazy()), frame: members(frame),
  }));`;

test("members that lie in a prototype close over what they did", () => {
  const source = `"use strict";
const _Thing = (_inner) => {
    const twice = (x) => 2 * x * _inner.factor;
    const thing = {
        _inner,
        /** Of no meaning. */
        [Symbol.toStringTag]() {
            return "Thing";
        },
        get factor() {
            return _inner.factor;
        },
        set factor(to) {
            _inner.factor = to;
        },
        doubled(x) {
            return twice(x);
        },
        later: async (x) => {
            await null;
            return [twice(x), thing.factor];
        },
        self() {
            return this;
        }
    };
    return new Proxy(thing, {});
};
`;
  const made = sharedMembers(source);
  assert.notEqual(made, source);
  for (const text of [source, made]) {
    const _Thing = new Function(`${text}; return _Thing;`)();
    const [one, other] = [_Thing({ factor: 1 }), _Thing({ factor: 10 })];
    assert.deepEqual([one.doubled(2), other.doubled(2), one.factor, other.factor], [4, 40, 1, 10]);
    one.factor = 3;
    assert.deepEqual([one.doubled(2), other.doubled(2), one.factor, other.factor], [12, 40, 3, 10]);
    assert.equal(one.self(), one);
    assert.equal(one[Symbol.toStringTag](), "Thing");
    assert.deepEqual(Object.keys(one).includes("_inner"), true);
  }
});

test("a source of another shape is left as it is", () => {
  for (const source of [
    "const a = 1;\n",
    "const _Thing = (_inner) => {\n    return {\n        abs() {},\n    };\n};\n",
    "const _Thing = (_inner) => {\n    return {\n        _inner,\n        ...others,\n    };\n};\n",
  ])
    assert.equal(sharedMembers(source), source);
});

test("importing millrace is enough: the objects are built the cheap way, with every member they had", () => {
  const run = (program: string) =>
    JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
  const fast = run(PROGRAM);
  const published = run(PROGRAM.replace(`file://${lib}/index.ts`, `file://${lib}/api.ts`));
  assert.deepEqual(fast.rows, [[2], [3]]);
  assert.equal(fast.shared, true);
  assert.equal(published.shared, false);
  for (const kind of ["expr", "series", "lazy", "frame"])
    assert.deepEqual(fast[kind].toSorted(), published[kind].toSorted(), kind);
});
