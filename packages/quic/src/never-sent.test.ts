import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncomingCall } from "./index.ts";
import { bytes, dial, failure, later, serve } from "./peers.test.helper.ts";

test("when the connection goes, calls tell whether the peer can have seen them: those without a stream were never sent", async (t) => {
  const taken = later<IncomingCall>();
  const listener = await serve(t, { onCall: (call) => taken.resolve(call) }, { transport: { maxBidiStreams: 1 } });
  const connection = await dial(t, listener);
  const begun = failure(connection.call(1, bytes(10)), "CONNECTION_CLOSED");
  const call = await taken.promise;
  const waiting = [connection.call(1, bytes(10)), connection.send(1, bytes(10)), connection.openStream()].map((one) =>
    failure(one, "CONNECTION_CLOSED"),
  );
  setImmediate(() => call.connection.close(7, "restart"));
  assert.equal((await begun).wasSent, undefined);
  for (const error of await Promise.all(waiting)) {
    assert.deepEqual([error.wasSent, error.closeCode, error.closeReason], [false, 7n, "restart"]);
  }
  assert.equal((await failure(connection.call(1, bytes(10)), "CONNECTION_CLOSED")).wasSent, false);
});
