import { engines, LocalWorker, storeOf } from "../embedded/local.test.helper.ts";
import { testClient } from "./client.test.helper.ts";

for (const engine of engines) {
  testClient(`client over core's services on ${engine}`, async (t) => new LocalWorker(t, await storeOf(t, engine)));
}
