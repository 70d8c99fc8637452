// What a runtime promises, on a worker that has nothing but a core in this process, over the real protocol.

import type { TestContext } from "node:test";
import { type Ground, testRuntime } from "../runtime/runtime-suite.test.helper.ts";
import { TestCore } from "../testing/core-in-process.ts";
import { serve } from "./serve.ts";

testRuntime("worker over QUIC", async (t: TestContext): Promise<Ground> => {
  const closers: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const close of closers) await close();
  });
  const core = await TestCore.start(t);
  return {
    async runtime(workflows, options = {}) {
      const tls = { dangerouslySkipVerification: true };
      const runtime = await serve(workflows, { server: core.address, tls, handleSignals: false, ...options });
      closers.push(() => runtime.close({ drain: 0 }));
      return runtime;
    },
  };
});
