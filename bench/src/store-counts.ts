import { once } from "node:events";
import { createServer } from "node:net";

/** What a core's store has done since it was opened. */
export type StoreCounts = {
  readonly transactions: number;
  readonly statements: number;
};

/** A core's page of metrics, on a port that is free now. */
export interface CountsPage {
  /** For the core. */
  readonly env: Readonly<Record<string, string>>;
  read(): Promise<StoreCounts>;
}

export async function countsPage(): Promise<CountsPage> {
  const port = await freeTcpPort();
  return {
    env: { RUNTARA_HTTP_PORT: `${port}` },
    async read() {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
      const text = await answer.text();
      return {
        transactions: countIn(text, "runtara_store_transactions_total"),
        statements: countIn(text, "runtara_store_statements_total"),
      };
    },
  };
}

/** The value of a counter without labels in Prometheus's text. */
export function countIn(text: string, name: string): number {
  const value = text.match(new RegExp(`^${name} (\\S+)$`, "m"))?.[1];
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(value);
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port is free");
  return address.port;
}
