import type { TestContext } from "node:test";
import { engines, storeOf } from "../embedded/local.test.helper.ts";
import { open } from "../embedded/open.ts";
import { type Ground, testRuntime } from "./runtime-suite.test.helper.ts";

for (const engine of engines) {
  testRuntime(`embedded on ${engine}`, async (t: TestContext): Promise<Ground> => {
    const store = await storeOf(t, engine);
    return {
      async runtime(workflows, options = {}) {
        const runtime = await open({ store, workflows, ...options });
        t.after(() => runtime.close({ drain: 0 }));
        return runtime;
      },
    };
  });
}
