import assert from "node:assert/strict";
import { test } from "node:test";
import { Subscriber, XPublisher } from "zeromq";
import { Publisher } from "../../../kernel/wire/sender.ts";

/** As the kernel's, with a short queue. */
async function published() {
  const socket = new XPublisher({ linger: 0, noDrop: true, sendHighWaterMark: 50, verbosity: "allSubs" });
  await socket.bind("tcp://127.0.0.1:*");
  const subscribe = async () => {
    const subscriber = new Subscriber({ receiveHighWaterMark: 50, linger: 0 });
    subscriber.connect(socket.lastEndpoint!);
    subscriber.subscribe();
    await socket.receive();
    return subscriber;
  };
  return { socket, publisher: new Publisher(socket), subscribe };
}

const message = (n: number) => [Buffer.from(String(n)), Buffer.alloc(10_000)];
const MESSAGES = 5000;

async function read(subscriber: Subscriber, until: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const [n] of subscriber) {
    numbers.push(Number(String(n)));
    if (numbers.at(-1) === until) break;
  }
  return numbers;
}

test("a subscriber that reads after a while is sent every message, in order", async () => {
  const { socket, publisher, subscribe } = await published();
  const subscriber = await subscribe();
  let sent = 0;
  const all = Array.from({ length: MESSAGES }, (_, n) => publisher.send(message(n)).then(() => sent++));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(sent < MESSAGES, "it is held up");
  assert.deepEqual(await read(subscriber, MESSAGES - 1), [...Array(MESSAGES).keys()]);
  await Promise.all(all);
  subscriber.close();
  socket.close();
});

test("a subscriber that has gone to sleep holds up the others once, and hears what is sent after it wakes", async () => {
  const { socket, publisher, subscribe } = await published();
  const [asleep, awake] = [await subscribe(), await subscribe()];
  const begun = performance.now();
  const heard = read(awake, MESSAGES - 1);
  for (let n = 0; n < MESSAGES; n++) await publisher.send(message(n));
  assert.ok(performance.now() - begun < 30_000, "not once a message");
  // while one is asleep messages are left out for whoever has no room just then, which on a busy machine may be the one that reads
  const last = setInterval(() => void publisher.send(message(MESSAGES - 1)), 20);
  const reached = (await heard).at(-1);
  clearInterval(last);
  assert.equal(reached, MESSAGES - 1);
  const woken = read(asleep, -1);
  // What was in its queue must be gone before anything new is taken.
  const waking = setInterval(() => void publisher.send(message(-1)), 20);
  const numbers = await woken;
  clearInterval(waking);
  assert.ok(numbers.length < MESSAGES, "what found no room was left out");
  assert.deepEqual(numbers, [...numbers.slice(0, -1)].sort((a, b) => a - b).concat(-1));
  asleep.close();
  awake.close();
  socket.close();
});
