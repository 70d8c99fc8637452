import { connect, listen } from "@runtara/quic";
import type { Transport } from "./port.ts";

/** UDP through the addon: what servers and clients use unless told otherwise. */
export const quicTransport: Transport = { name: "quic", dial: connect, listen };
