import { setTimeout as delay } from "node:timers/promises";
import { log, sleep, step, workflow } from "@runtara/sdk";

export const greet = workflow("greet", async (input: { name: string }) => {
  const greeting = await step("greet", () => `Hello, ${input.name}`);
  log.info("greeted", { name: input.name });
  await sleep("pause", 20);
  return { greeting };
});

/** Fails in a step for good. */
export const refuse = workflow("refuse", async () => {
  await step("ask", () => Promise.reject(new TypeError("the card is blocked")), { retry: false });
});

/** Returns from a step what can't be stored. */
export const unstorable = workflow("unstorable", async () => {
  const anything = (): unknown => ({ items: [{ socket: () => {} }] });
  await step("open", anything);
});

/** Waits in a step, long enough to be stopped or killed. */
export const slow = workflow("slow", async () => {
  await step("first", () => "kept");
  await step("wait", async (s) => {
    await delay(60_000, undefined, { signal: s.signal });
  });
});

/** Calls another step than before when DIVERGE is set. */
export const renamed = workflow("renamed", async () => {
  await step("first", () => "kept");
  await step(process.env.DIVERGE === "1" ? "after" : "before", () => 1);
  await step("wait", async (s) => {
    await delay(60_000, undefined, { signal: s.signal });
  });
});
