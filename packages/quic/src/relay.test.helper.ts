import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** A network between clients and a server, with an own port towards the server for each client, as a NAT has it. */
export interface Relay {
  readonly host: string;
  /** Where clients find the server. */
  readonly port: number;
  /** Datagrams of clients that it has passed on. */
  readonly sent: number;
  /** Whether the server's answers are lost. */
  isMute: boolean;
  /** Gives every client another port towards the server and forgets the old ones, as a NAT does after a restart. */
  forget(): void;
}

/** Starts a relay to a port of this machine; it ends with the test. */
export async function relay(t: TestContext, serverPort: number): Promise<Relay> {
  const host = "127.0.0.1";
  const front = createSocket("udp4");
  const backs = new Map<number, Socket>();
  front.bind(0, host);
  await once(front, "listening");
  const made = {
    host,
    port: front.address().port,
    sent: 0,
    isMute: false,
    forget() {
      for (const back of backs.values()) back.close();
      backs.clear();
    },
  };
  const backOf = (clientPort: number): Socket => {
    const known = backs.get(clientPort);
    if (known !== undefined) return known;
    const back = createSocket("udp4");
    back.on("message", (message) => {
      if (!made.isMute) front.send(message, clientPort, host);
    });
    backs.set(clientPort, back);
    return back;
  };
  front.on("message", (message, from) => {
    made.sent++;
    backOf(from.port).send(message, serverPort, host);
  });
  t.after(() => {
    front.close();
    made.forget();
  });
  return made;
}
