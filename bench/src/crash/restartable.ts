import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Command, type Server, startServer } from "../child.ts";

/** A server that is killed and started again on the same address. */
export class Restartable implements AsyncDisposable {
  readonly address: string;
  readonly #command: (address: string) => Command;
  #server: Server | undefined;

  private constructor(address: string, command: (address: string) => Command) {
    this.address = address;
    this.#command = command;
  }

  /** `command` is asked with an address whose port is free now. */
  static async start(command: (address: string) => Command): Promise<Restartable> {
    const restartable = new Restartable(`127.0.0.1:${await freePort()}`, command);
    restartable.#server = await startServer(command(restartable.address));
    return restartable;
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error(`the server of ${this.address} does not run`);
    return this.#server.pid;
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    process.kill(server.pid, "SIGKILL");
    await server[Symbol.asyncDispose]();
  }

  /** Resolves when it says that it is ready. */
  async restart(): Promise<void> {
    this.#server = await startServer(this.#command(this.address));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}
