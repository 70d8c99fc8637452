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
