import { step, workflow } from "@runtara/sdk";

/** Nothing but steps that do nothing, one after another. */
export const work = workflow("work", async (steps: number): Promise<number> => {
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += await step("add", () => 1);
  return sum;
});
