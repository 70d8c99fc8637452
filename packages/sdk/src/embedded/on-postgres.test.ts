// All that a runtime promises, on PostgreSQL (on SQLite and in memory: runtime/runtime.test.ts).

import type { TestContext } from "node:test";
import { type Ground, testRuntime } from "../runtime/runtime-suite.test.helper.ts";
import { databases } from "./databases.test.helper.ts";
import { lastFirst } from "./local.test.helper.ts";
import { open } from "./open.ts";

testRuntime("embedded on postgres", async (context: TestContext): Promise<Ground> => {
  const t = lastFirst(context);
  const store = await databases.postgres(t);
  return {
    async runtime(workflows, options = {}) {
      const runtime = await open({ store, workflows, ...options });
      t.after(() => runtime.close({ drain: 0 }));
      return runtime;
    },
  };
});
