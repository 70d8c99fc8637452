import { connect, listen } from "@runtara/quic";
import type { Transport } from "./port.ts";

const transportName = "quic";

/** UDP through the addon: what servers and clients use unless told otherwise. */
export const quicTransport: Transport = {
  name: transportName,
  dial: async (options) => Object.assign(await connect(options), { transportName }),
  listen,
};
