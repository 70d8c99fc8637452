import type { ClaimedWork, InstanceSession, WorkSource } from "../ports/source.ts";
import { Link } from "../worker/link.ts";
import { RemoteCalls } from "../worker/remote/remote-calls.ts";
import { RemoteOperator } from "../worker/remote/remote-operator.ts";
import { RemoteSource } from "../worker/remote/remote-source.ts";

export interface Remote {
  readonly source: RemoteSource;
  readonly operator: RemoteOperator;
  readonly link: Link;
  readonly calls: RemoteCalls;
}

/** A worker's and a client's way to a core, closed after the test. */
export async function connectRemote(
  t: { after(cleanUp: () => Promise<void>): void },
  server: string,
  options: { readonly workerId?: string; readonly patienceMs?: number } = {},
): Promise<Remote> {
  const { workerId = "worker", patienceMs = 30_000 } = options;
  const tenantId = "default";
  const access = { dangerouslySkipVerification: true };
  const settings = { serverName: "localhost", access, connectTimeoutMs: 30_000, requestTimeoutMs: 30_000 };
  const link = new Link({ ...settings, servers: [server] }, () => {});
  t.after(() => link.close());
  await link.connect();
  const calls = new RemoteCalls(link, patienceMs);
  const source = new RemoteSource({ calls, workerId, tenantId, leaseMs: 60_000, pollGraceMs: 30_000 });
  return { source, operator: new RemoteOperator(calls, tenantId, 30_000), link, calls };
}

/** Claims until there is an instance. `received`: the sequence of the claim before. */
export async function claimOne(
  source: WorkSource,
  workflow: string,
  received = 0,
): Promise<{ work: ClaimedWork; session: InstanceSession; sequence: number }> {
  let sequence = received;
  for (;;) {
    const offers = [{ name: workflow, versions: [] }];
    const answer = await source.claim({ offers, capacity: 1, received: sequence, waitMs: 1_000 }).answer;
    sequence = answer.sequence;
    const [work] = answer.work;
    if (work) return { work, session: source.session(work), sequence };
  }
}
