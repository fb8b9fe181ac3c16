import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../lib/error.ts";
import { driver } from "../../lib/test/driver.ts";
import type { TestRecord } from "../../lib/test/records.ts";
import { Dice } from "./fuzz/dice.ts";
import { randomRecords, SCHEMAS, TOPICS, type WholeProgram, wholeProgram } from "./fuzz/whole-programs.ts";
import { runs, seed } from "./random-rows.ts";

type Feed = ReadonlyMap<string, readonly (readonly TestRecord[])[]>;

test(`programs over several topics and partitions: any interleaving gives the same rows per key (seed ${seed})`, async () => {
  let refused = 0;
  const tries = runs(25);
  for (let i = 0; i < tries; i++) {
    const dice = new Dice(seed + i);
    const outcome = await compared(dice, seed + i, false);
    if (outcome === "refused") refused++;
  }
  assert.ok(refused < tries / 2 + 5, `${refused} of ${tries} programs were refused`);
});

test(`of rows in order, one partition gives what several give (seed ${seed})`, async () => {
  for (let i = 0; i < runs(15); i++) await compared(new Dice(seed + 1e6 + i), seed + 1e6 + i, true);
});

async function compared(dice: Dice, own: number, orderly: boolean): Promise<"same" | "refused"> {
  let program: WholeProgram;
  try {
    program = wholeProgram(dice);
  } catch (error) {
    if (error instanceof Refusal) return "refused";
    throw error;
  }
  const partitions = dice.pick([2, 3]);
  const feed: Feed = new Map(TOPICS.map((name) => [name, randomRecords(dice, name, partitions, orderly)]));
  const what = `seed ${own}, ${partitions} partitions:\n${program.text}\n`;
  try {
    const wanted = await run(program, feed, partitions, undefined, orderly);
    for (let turn = 0; turn < 2; turn++)
      assert.deepEqual(await run(program, feed, partitions, dice, orderly), wanted, `${what}interleaved`);
    // a timer goes off once its partition has come so far, which several do not at a time; windows of several keys are at one time
    if (!orderly || ["process(", "over(one)"].some((verb) => program.text.includes(verb))) return "same";
    const single: Feed = new Map(
      [...feed].map(([name, parts]) => [
        name,
        [
          parts
            .flat()
            .sort((a, b) => Number(a.t) - Number(b.t))
            .map((record) => ({ ...record, _partition: 0 })),
        ],
      ]),
    );
    const whole = await run(program, single, 1, dice, orderly);
    assert.deepEqual(
      ...([whole, wanted].map(program.ties ? unordered : (rows) => rows) as [Rows, Rows]),
      `${what}in one partition`,
    );
    return "same";
  } catch (error) {
    // refused when it was compiled, which is before the first row
    if (error instanceof Refusal) return "refused";
    throw error instanceof assert.AssertionError ? error : new Error(what, { cause: error });
  }
}

type Rows = Record<string, string[]>;

const unordered = (rows: Rows): Rows =>
  Object.fromEntries(Object.entries(rows).map(([key, texts]) => [key, texts.toSorted()]));

/** The rows of each key in order, those of updates as they were last. @param dice cuts and interleaves; without it each partition comes whole */
async function run(
  { frame, key, updates }: WholeProgram,
  feed: Feed,
  partitions: number,
  dice: Dice | undefined,
  final: boolean,
): Promise<Rows> {
  const tested = driver(frame, { partitions, schemas: SCHEMAS });
  const read = TOPICS.filter((name) => JSON.stringify(frame.node).includes(`"topics":["${name}"]`));
  const waiting = read.flatMap((name) => feed.get(name)!.map((records) => ({ name, records, at: 0 })));
  while (waiting.length > 0) {
    const one = dice === undefined ? waiting[0]! : dice.pick(waiting);
    const size = dice === undefined ? one.records.length : dice.pick([1, 2, 7, 30]);
    const piece = one.records.slice(one.at, one.at + size);
    one.at += size;
    if (piece.length > 0) await tested.feed(one.name, piece);
    if (one.at >= one.records.length) waiting.splice(waiting.indexOf(one), 1);
  }
  await tested.end();
  assert.deepEqual(tested.bad, []);
  const rows = [tested.rows(), ...(final ? [await tested.openRows()] : [])].flatMap(
    (part) => part.toRecords() as Record<string, unknown>[],
  );
  const perKey: Rows = {};
  const places = new Map<string, number>();
  for (const row of rows) {
    const name = key.map((column) => String(row[column])).join("/");
    perKey[name] ??= [];
    const place = updates === undefined ? undefined : JSON.stringify([name, ...updates.map((column) => row[column])]);
    const text = rowText(row);
    const at = place === undefined ? undefined : places.get(place);
    if (at === undefined) {
      if (place !== undefined) places.set(place, perKey[name].length);
      perKey[name].push(text);
    } else perKey[name][at] = text;
  }
  // a session that another took up is taken back, however often it was given before
  for (const [name, texts] of Object.entries(perKey)) {
    perKey[name] = texts.filter((text) => updates === undefined || !text.includes('"window_end":null'));
    if (perKey[name].length === 0) delete perKey[name];
    // which window has its first update first is a matter of batches; judged is the last one of each
    else if (updates !== undefined) perKey[name].sort();
  }
  return perKey;
}

function rowText(row: Record<string, unknown>): string {
  const shown = Object.entries(row)
    .filter(([name]) => !name.startsWith("_"))
    .map(([name, value]) => [name, typeof value === "number" ? Number(value.toPrecision(9)) : value]);
  return JSON.stringify(Object.fromEntries(shown), (_, value) => (typeof value === "bigint" ? String(value) : value));
}
