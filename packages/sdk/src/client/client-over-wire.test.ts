import { TestCore } from "../testing/core-in-process.ts";
import { connectRemote } from "../testing/remote.ts";
import { testClient } from "./client.test.helper.ts";

testClient("client over the wire", async (t) => {
  const core = await TestCore.start(t);
  return connectRemote(t, core.address);
});
