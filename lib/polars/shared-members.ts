/**
 * The source of a nodejs-polars file whose objects share their members. As published every Expr, Series and DataFrame is an object literal, which makes 130 to
 * 200 functions for each of them:
 *
 *     const _DataFrame = (_df) => {
 *         const wrap = …;
 *         const df = {
 *             _df,
 *             get height() { return _df.height },
 *             select(…) { … wrap("select") … },
 *
 * Here they lie in a prototype. An accessor takes what it closes over from its object; another member becomes a function of that, called when it is asked for:
 *
 *     get height() { const [_df, wrap, df] = this[$CLOSED_OVER]; return _df.height },
 *     ["select", (_df, wrap, df) => ({ select(…) { … wrap("select") … } })],
 *
 * A source of another shape is returned as it is.
 */
export function sharedMembers(source: string): string {
  const head = /^(?:const _\w+ = \((\w+)\) => |function _\w+\((\w+)\) )\{\n/m.exec(source);
  if (head === null) return source;
  const inner = (head[1] ?? head[2]) as string;
  const start = head.index + head[0].length;
  const literal = /^ {4}(return|const (\w+) =) \{\n([\s\S]*?)^ {4}\};\n/m.exec(source.slice(start));
  if (literal === null) return source;
  const [whole, keyword, name = "$self", body] = literal as unknown as [string, string, string | undefined, string];
  const members = membersOf(body);
  if (members?.get(inner) !== `        ${inner},\n`) return source;
  members.delete(inner);
  const before = source.slice(start, start + literal.index);
  const closedOver = [inner, ...[...before.matchAll(/^ {4}const (\w+) =/gm)].map(([, local]) => local as string)];
  const parameters = [...closedOver, name].join(", ");
  let accessors = "";
  let others = "";
  for (const [key, text] of members) {
    const quoted = key.startsWith("[") ? key.slice(1, -1) : `"${key}"`;
    const accessor = text.replace(ACCESSOR, `$&            const [${parameters}] = this[$CLOSED_OVER];\n`);
    if (accessor !== text) accessors += accessor;
    else others += `[${quoted}, (${parameters}) => ({\n${text}        })],\n`;
  }
  return [
    source.slice(0, head.index),
    `const $CLOSED_OVER = Symbol("closed over");\nlet $prototype;\n`,
    `const $members = () => $shared({\n${accessors}}, [\n${others}]);\n`,
    head[0],
    before,
    `    ${keyword} $object($prototype ??= $members(), { ${inner} }, [${closedOver.join(", ")}]);\n`,
    source.slice(start + literal.index + whole.length),
    HELPERS,
  ].join("");
}

/** What an object's members close over is kept with it; the last of it is the object itself. */
const HELPERS = `
function $object(prototype, own, closedOver) {
    const object = Object.setPrototypeOf(own, prototype);
    Object.defineProperty(object, $CLOSED_OVER, { value: closedOver, configurable: true });
    closedOver.push(object);
    return object;
}
function $shared(prototype, members) {
    for (const [key, member] of members)
        Object.defineProperty(prototype, key, {
            enumerable: true,
            get() {
                return member(...this[$CLOSED_OVER])[key];
            },
        });
    return prototype;
}
`;

const BEGINS = /^ {8}(?:(?:get|set|async) )?\*?(\w+|\[[\w.]+\])[(:,]/;
const ENDS = /^ {8}[}\])]+,?$/;
const COMMENT = /^ {8}(?:\/\*\*|\/\/| \*)/;
/** The first line of each. */
const ACCESSOR = /^ {8}[gs]et (?:\w+|\[[\w.]+\])\(\w*\) \{\n/gm;

/** Name -> text of the members of a literal's body (a getter and a setter are one), which lie at 8 spaces; undefined where there is something else. */
function membersOf(body: string): Map<string, string> | undefined {
  const members = new Map<string, string>();
  let open: { readonly key: string; text: string } | undefined;
  for (const line of body.split("\n").slice(0, -1)) {
    if (open === undefined) {
      if (COMMENT.test(line)) continue;
      const key = BEGINS.exec(line)?.[1];
      if (key === undefined) return undefined;
      open = { key, text: `${members.get(key) ?? ""}${line}\n` };
      if (!line.endsWith(",")) continue;
    } else {
      open.text += `${line}\n`;
      if (!ENDS.test(line)) continue;
    }
    members.set(open.key, open.text.endsWith(",\n") ? open.text : open.text.replace(/\n$/, ",\n"));
    open = undefined;
  }
  return open === undefined ? members : undefined;
}
