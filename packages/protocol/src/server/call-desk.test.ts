import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceProtocol } from "../instance/protocol.ts";
import { limits } from "../limits.ts";
import type { TransportPeer } from "../transport/port.ts";
import { CallDesk } from "./call-desk.ts";
import { ServerConnection } from "./connection.ts";
import { serverNumbers } from "./options.ts";

test("a connection that leaves is closed once its last answer has had time, however soon an earlier one's was over", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const desk = new CallDesk(instanceProtocol, serverNumbers({}), () => {}, false);
  const closes: number[] = [];
  const peer: TransportPeer = {
    id: 1,
    remoteAddress: "127.0.0.1:1",
    isOpen: true,
    peerCertificate: undefined,
    data: undefined,
    stats: () => assert.fail("nobody asks"),
    close: (code) => closes.push(code ?? -1),
  };
  const connection = new ServerConnection(peer);
  desk.sayFarewell(connection);
  t.mock.timers.tick(limits.farewellMs - 1);
  // An acknowledgement, which is carried out however late it comes.
  desk.admission.enter(connection, 10);
  t.mock.timers.tick(limits.farewellMs);
  assert.deepEqual(closes, []);
  desk.admission.leave(connection, 10);
  desk.sayFarewell(connection);
  t.mock.timers.tick(limits.farewellMs - 1);
  desk.admission.enter(connection, 10);
  desk.admission.leave(connection, 10);
  desk.sayFarewell(connection);
  t.mock.timers.tick(limits.farewellMs - 1);
  assert.deepEqual(closes, []);
  t.mock.timers.tick(1);
  assert.deepEqual(closes, [0]);
});
