import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notice } from "../store.ts";
import { Listeners } from "./listeners.ts";

const notice: Notice = { topic: "signal", instanceId: "i" };

test("every listener is told, and who is stopped while others are told hears no more", () => {
  const listeners = new Listeners();
  const heard: string[] = [];
  const stopFirst = listeners.add(() => {
    heard.push("first");
    stopFirst();
    stopThird();
  });
  listeners.add(() => heard.push("second"));
  const stopThird = listeners.add(() => heard.push("third"));
  listeners.tell([notice]);
  listeners.tell([notice]);
  assert.deepEqual(heard, ["first", "second", "second"]);
});

test("a listener that is given twice is told twice and forgotten once", () => {
  const listeners = new Listeners();
  let told = 0;
  const listener = () => {
    told += 1;
  };
  const stop = listeners.add(listener);
  listeners.add(listener);
  listeners.tell([notice]);
  assert.equal(told, 2);
  stop();
  stop();
  listeners.tell([notice]);
  assert.equal(told, 3);
});

test("who begins while others are told, or begins anew, is told of what comes later only", () => {
  const listeners = new Listeners();
  let told = 0;
  const listener = () => {
    told += 1;
    assert.equal(told, 1);
    stop();
    stop = listeners.add(listener);
  };
  let stop = listeners.add(listener);
  listeners.tell([notice, notice]);
  assert.equal(told, 1);
  stop();
  assert.equal(listeners.size, 0);
});
