import { Kit } from "./kit.ts";
import type { TestOptions, TestRuntime } from "./types.ts";

/**
 * A runtime for one test. Each has its own clock and its own store, so tests run side by side. Close it with `await using`, or `close()`.
 *
 * @throws ConfigError: two of the workflows have the same name and version
 */
export async function createTest(options: TestOptions): Promise<TestRuntime> {
  return new Kit(options);
}
