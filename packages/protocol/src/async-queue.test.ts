import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncQueue } from "./async-queue.ts";

async function take(queue: AsyncQueue<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for await (const value of queue) {
    taken.push(value);
    if (taken.length === count) break;
  }
  return taken;
}

test("values come in order, before and while they are waited for", async () => {
  const queue = new AsyncQueue<number>();
  queue.push(1);
  queue.push(2);
  assert.deepEqual(await take(queue, 2), [1, 2]);
  const waiting = take(queue, 2);
  queue.push(3);
  await Promise.resolve();
  queue.push(4);
  assert.deepEqual(await waiting, [3, 4]);
});

test("leaving a loop early loses nothing", async () => {
  const queue = new AsyncQueue<number>();
  for (const value of [1, 2, 3]) queue.push(value);
  assert.deepEqual(await take(queue, 1), [1]);
  assert.deepEqual(await take(queue, 2), [2, 3]);
});

test("with a taker for unread values, leaving early and an end without a reader hand them over", async () => {
  const unread: number[] = [];
  const queue = new AsyncQueue<number>((value) => unread.push(value));
  for (const value of [1, 2, 3]) queue.push(value);
  assert.deepEqual(await take(queue, 1), [1]);
  assert.deepEqual(unread.splice(0), [2, 3]);
  queue.push(4);
  queue.push(5);
  // One that reads gets what was pushed before the end, too.
  const reading = queue[Symbol.asyncIterator]();
  assert.equal((await reading.next()).value, 4);
  queue.end();
  assert.deepEqual([(await reading.next()).value, (await reading.next()).done], [5, true]);
  assert.equal(unread.length, 0);

  const unreadAtAll = new AsyncQueue<number>((value) => unread.push(value));
  unreadAtAll.push(6);
  unreadAtAll.end();
  assert.deepEqual([unread, await take(unreadAtAll, 1)], [[6], []]);
});

test("after the end what was pushed is still delivered, and no more", async () => {
  const queue = new AsyncQueue<number>();
  queue.push(1);
  queue.end();
  queue.push(2);
  assert.deepEqual(await take(queue, 5), [1]);
  assert.deepEqual(await take(queue, 5), []);
});

test("the end wakes a reader that waits", async () => {
  const queue = new AsyncQueue<number>();
  const waiting = take(queue, 1);
  await Promise.resolve();
  queue.end();
  assert.deepEqual(await waiting, []);
});

test("what is taken back is not delivered, wherever it stood", async () => {
  const queue = new AsyncQueue<number>();
  for (const value of [1, 2, 3, 4]) queue.push(value);
  queue.remove(1);
  queue.remove(3);
  queue.remove(5);
  queue.end();
  assert.deepEqual(await take(queue, 5), [2, 4]);
});
