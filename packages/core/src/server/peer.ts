import { limits } from "../limits.ts";
import { Stamps } from "./stamps.ts";

/** Something that lives as long as one client is connected; `data` is free for the server's use. */
export interface Connection {
  data: unknown;
  readonly remoteAddress: string;
}

const clientCharactersMax = 200;

/** What the server knows of the client behind one connection. */
export class Peer {
  readonly stamps: Stamps = new Stamps(limits.stampsPerConnectionMax);
  #client: string | undefined;

  /** Made when it is first asked for. */
  static of(connection: Connection): Peer {
    if (!(connection.data instanceof Peer)) connection.data = new Peer();
    return connection.data as Peer;
  }

  /** Undefined for a connection on which nothing was registered; costs nothing. */
  static known({ data }: Connection): Peer | undefined {
    return data instanceof Peer ? data : undefined;
  }

  /** Name and version of the program, for the log. */
  get client(): string | undefined {
    return this.#client;
  }

  set client(client: string | undefined) {
    if (client !== undefined) this.#client = client.slice(0, clientCharactersMax);
  }
}
