import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessage } from "../../kernel/gateway/reading.ts";

const FIELDS = { key: "device", time: "at" };

const messages: readonly { name: string; text: string; readings: readonly unknown[]; rejected: readonly unknown[] }[] =
  [
    { name: "one object", text: '{"device":"a","at":5}', readings: [["a", 5, '{"device":"a","at":5}']], rejected: [] },
    {
      name: "lines of objects, blank ones passed over, bytes kept",
      text: '{"device":"a","at":5,"n":12345678901234567890}\n\n  {"device":7,"at":"1970-01-01T00:00:01Z"}\r\n',
      readings: [
        ["a", 5, '{"device":"a","at":5,"n":12345678901234567890}'],
        ["7", 1000, '  {"device":7,"at":"1970-01-01T00:00:01Z"}\r'],
      ],
      rejected: [],
    },
    {
      name: "what is none is named by its line",
      text: '{"device":"a","at":5}\n{"device"\n[1]\nnull\n{"at":5}\n{"device":{},"at":5}\n{"device":"a"}\n{"device":"a","at":"noon"}',
      readings: [["a", 5, '{"device":"a","at":5}']],
      rejected: [
        [2, "it is not JSON"],
        [3, "it is not a JSON object"],
        [4, "it is not a JSON object"],
        [5, 'its field "device", the key, is neither text nor a number'],
        [6, 'its field "device", the key, is neither text nor a number'],
        [7, 'its field "at", the time, is neither milliseconds nor ISO 8601'],
        [8, 'its field "at", the time, is neither milliseconds nor ISO 8601'],
      ],
    },
  ];

for (const { name, text, readings, rejected } of messages) {
  test(name, () => {
    const read = readMessage(text, FIELDS);
    assert.deepEqual(
      read.readings.map(({ key, time, value }) => [key?.toString(), time, value.toString()]),
      readings,
    );
    assert.deepEqual(
      read.rejected.map(({ line, reason }) => [line, reason]),
      rejected,
    );
  });
}

test("without fields a reading has no key, and its time is the arrival's", () => {
  assert.deepEqual(readMessage("{}", {}, 42).readings, [{ key: null, time: 42, value: Buffer.from("{}") }]);
});
