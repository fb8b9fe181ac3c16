import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Refusal } from "../../lib/error.ts";
import { declaredParams, param, setParamSource } from "../../lib/frame/param.ts";

afterEach(() => setParamSource());

const given = (values: Record<string, string>): void =>
  setParamSource((spec) => {
    const text = values[spec.env] ?? values[spec.flag];
    return text === undefined ? undefined : { text, from: spec.env in values ? spec.env : spec.flag };
  });

const code = (expected: string) => (error: unknown) => error instanceof Refusal && error.code === expected;

test("a parameter without a value is its default", () => {
  assert.equal(param("plainDefault", 2.5), 2.5);
});

test("a value has the type of the default", () => {
  given({ MAX_LAG: "7", "--verbose-run": "true", LABEL: "x y", SINCE: "2026-01-02T03:04:05Z" });
  assert.equal(param("maxLag", 1), 7);
  assert.equal(param("verboseRun", false), true);
  assert.equal(param("label", "none"), "x y");
  assert.deepEqual(param("since", new Date(0)), new Date("2026-01-02T03:04:05Z"));
});

test("a value that does not fit is refused", () => {
  given({ RATE: "fast", LEVEL: "9", MODE: "c", FLAG_A: "maybe" });
  assert.throws(() => param("rate", 1), code("BAD_PARAM"));
  assert.throws(() => param("level", 1, { max: 5 }), code("BAD_PARAM"));
  assert.throws(() => param("mode", "a", { choices: ["a", "b"] }), code("BAD_PARAM"));
  assert.throws(() => param("flagA", true), code("BAD_PARAM"));
});

test("names are mapped to a variable and a flag, and shadowing is refused", () => {
  param("someURLThing", 1);
  const spec = declaredParams().find(({ name }) => name === "someURLThing");
  assert.deepEqual([spec?.env, spec?.flag], ["SOME_URL_THING", "--some-url-thing"]);
  param("minLag", 1);
  assert.throws(() => param("min_lag", 1), code("SHADOWED_PARAM"));
  assert.throws(() => param("port", 1), code("SHADOWED_PARAM"));
  assert.throws(() => param("kafkaBootstrapServers", ""), code("SHADOWED_PARAM"));
  assert.throws(() => param("until", ""), code("SHADOWED_PARAM"));
  assert.throws(() => param("a-b", ""), code("BAD_PARAM_NAME"));
});

test("the environment is read where nothing else is in place", () => {
  process.env.MILL_TEST_SPEED = "3";
  assert.equal(param("millTestSpeed", 1), 3);
  delete process.env.MILL_TEST_SPEED;
});
