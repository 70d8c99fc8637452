import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";

/** Lets everything through until it is told to cut, each way for itself. For tests of what a client can know of a lost connection. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>();
  /** Called with what the client sends; true = this still goes through, then nothing comes back and both ends are cut. */
  cutAfter: (sent: Buffer) => boolean = () => false;
  /** True: the ends are not cut then, the client just never hears anything again. */
  keepsOpen = false;

  private constructor(target: string) {
    this.#server = createServer((client) => {
      const server = createConnection(target);
      const pair = [client, server] as const;
      this.#pairs.add(pair);
      let silent = false;
      client.on("data", (sent) => {
        silent ||= this.cutAfter(sent);
        server.write(sent);
      });
      server.on("data", (answer) => {
        // The server has carried it out, as its answer shows; the client never learns.
        if (!silent) client.write(answer);
        else if (!this.keepsOpen) this.#cut(pair);
      });
      for (const end of pair) {
        end.on("error", () => undefined);
        end.on("close", () => this.#cut(pair));
      }
    });
  }

  /** `target`: the server's Unix socket. */
  static async to(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #cut(pair: readonly [Socket, Socket]): void {
    this.#pairs.delete(pair);
    for (const end of pair) end.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const pair of this.#pairs) this.#cut(pair);
    await closed;
  }
}
