import { resumeInstance } from "@runtara/sdk/testing";
import { failAs } from "./fail-as.ts";
import { type OperatorOptions, operatorOf } from "./operator.ts";

/** `runtara resume ID`: an instance that is paused, or did not fit its code, goes on with the next worker that serves it. */
export async function resume(id: string, options: OperatorOptions): Promise<void> {
  try {
    const opened = await operatorOf(options);
    try {
      await resumeInstance(opened, id);
      process.stdout.write(`resumed ${id}\n`);
    } finally {
      await opened.close();
    }
  } catch (error) {
    failAs(error);
  }
}
