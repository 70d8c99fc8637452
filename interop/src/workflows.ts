// SPDX-License-Identifier: AGPL-3.0-or-later
// The workflows that run on the original core.
import { appendFile } from "node:fs/promises";
import { sleep, step, workflow } from "@runtara/sdk";

/** Appends one line per step to a file, so that anyone can count which bodies really ran. */
export const ledger = workflow("ledger", async (input: { file: string; steps: number }) => {
  let sum = 0;
  for (let number = 1; number <= input.steps; number++) {
    sum += await step("line", async () => {
      await appendFile(input.file, `${number}\n`);
      return number;
    });
    if (number % 10 === 0) await sleep("breath", 20);
  }
  const [at, failure] = await Promise.all([
    step("rich value", () => new Date(0)),
    step("failing", () => Promise.reject(new Error("the last one fails")), { retry: false }).catch(
      (error: Error) => error.message,
    ),
  ]);
  return { sum, at, failure };
});

/** Waits for an hour and tidies up when it is told to stop. */
export const patient = workflow("patient", async () => {
  await step("before", () => "done");
  try {
    await sleep("an hour", "1h");
  } finally {
    await step("tidy-up", () => "done");
  }
});
