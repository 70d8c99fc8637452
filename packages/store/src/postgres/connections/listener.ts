import { limits } from "../../limits.ts";
import { driver } from "./driver.ts";
import type { Link } from "./link.ts";
import type { Listening } from "./port.ts";
import type { Session } from "./session.ts";

/** Keeps one connection listening to a channel until it is stopped, or as long as the connection is the server's own. */
export class Listener {
  readonly #link: Link;
  readonly #command: string;
  readonly #listening: Listening;
  readonly #done: Promise<void>;
  #session: Session | undefined;
  #stopped = false;

  constructor(link: Link, channel: string, listening: Listening) {
    this.#link = link;
    this.#command = `LISTEN ${driver().escapeIdentifier(channel)}`;
    this.#listening = listening;
    this.#done = this.#run();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    void this.#session?.close();
    return this.#done;
  }

  async #run(): Promise<void> {
    while (this.#wanted()) {
      try {
        await this.#listen();
      } catch {
        // The server is away, for which others are told; this one just comes back with it.
        await this.#link.pause(this.#link.options.reconnectDelayMsMax).catch(() => undefined);
      }
    }
  }

  async #listen(): Promise<void> {
    const session = await this.#link.connect("listen");
    if (!this.#wanted()) return session.close();
    this.#session = session;
    session.onNotification = (payload) => {
      if (!this.#stopped) this.#listening.notified(payload);
    };
    try {
      await session.command(this.#command);
    } catch (error) {
      await session.close();
      throw error;
    }
    if (!this.#stopped) this.#listening.resumed();
    const probe = setInterval(() => void session.command("SELECT 1").catch(() => undefined), limits.listenerProbeMs);
    await session.ended;
    clearInterval(probe);
  }

  #wanted(): boolean {
    return !this.#stopped && this.#link.direct && !this.#link.closing.aborted;
  }
}
