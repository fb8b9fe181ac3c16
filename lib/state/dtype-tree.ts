import { Refusal } from "../error.ts";
import type { DTypeName } from "../schema.ts";

const SIMPLE = /^(U?Int(8|16|32|64)|Float(32|64)|Utf8|Boolean|Date|Time|Null)$/;

type TimeUnit = "ms" | "us" | "ns";

/** A {@link DTypeName} taken apart. */
export type DTypeTree =
  | { readonly kind: "simple"; readonly name: string }
  | { readonly kind: "Datetime"; readonly unit: TimeUnit }
  | { readonly kind: "Duration"; readonly unit: TimeUnit }
  | { readonly kind: "List"; readonly inner: DTypeTree }
  | { readonly kind: "Struct"; readonly fields: readonly { readonly name: string; readonly dtype: DTypeTree }[] };

/**
 * Takes a dtype name apart. Grammar: `name | Datetime(unit) | Duration(unit) | List(dtype) | Struct{field:dtype,…}`;
 * a field's name ends at its first `:`.
 * @throws {Refusal} `UNKNOWN_DTYPE`
 */
export function parseDType(name: DTypeName): DTypeTree {
  let at = 0;
  const fail = (): never => {
    throw new Refusal({
      code: "UNKNOWN_DTYPE",
      what: `${name} is not a dtype that state can hold.`,
      remedies: ["cast it before it is kept; a datetime with a time zone to one without (UTC)"],
    });
  };
  const eat = (text: string) => {
    const met = name.startsWith(text, at);
    if (met) at += text.length;
    return met;
  };
  const expect = (text: string) => {
    if (!eat(text)) fail();
  };
  const one = (): DTypeTree => {
    const word = /\w+/y;
    word.lastIndex = at;
    const kind = word.exec(name)?.[0] ?? fail();
    at += kind.length;
    if (kind === "Datetime" || kind === "Duration") {
      expect("(");
      const unit = (["ms", "us", "ns"] as const).find((unit) => eat(unit)) ?? fail();
      expect(")");
      return { kind, unit };
    }
    if (kind === "List") {
      expect("(");
      const inner = one();
      expect(")");
      return { kind, inner };
    }
    if (kind === "Struct") {
      const fields: { name: string; dtype: DTypeTree }[] = [];
      expect("{");
      while (!eat("}")) {
        if (fields.length > 0) expect(",");
        const colon = name.indexOf(":", at);
        if (colon < 0) fail();
        const field = name.slice(at, colon);
        at = colon + 1;
        fields.push({ name: field, dtype: one() });
      }
      return { kind, fields };
    }
    if (!SIMPLE.test(kind)) fail();
    return { kind: "simple", name: kind };
  };
  const tree = one();
  if (at !== name.length) fail();
  return tree;
}
