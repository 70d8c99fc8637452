import { limits } from "../limits.ts";
import type { RunOutside } from "../run/control.ts";
import { Gate } from "../run/gate.ts";
import type { GateLike } from "../run/host.ts";
import type { Wrapper } from "../values/codec-port.ts";
import { createWrapper } from "../values/wrapper.ts";
import { outsideOf } from "./children.ts";
import { IdleWatch } from "./idle-watch.ts";
import { type Asker, Persistence } from "./persistence.ts";
import type { ResidentInstance } from "./resident.ts";
import { createRounds } from "./rounds.ts";
import type { Rounds, RuntimeParts } from "./runtime.ts";
import { SignalHub } from "./signal-hub.ts";

/** What instances tell the runtime they are in. */
interface Neighbours {
  /** Something has come to rest: everything saved, a body over, or nothing to do but wait. A closing runtime looks then. */
  onQuiet(): void;
  /** It was to be put away, and goes on. */
  onStayed(resident: ResidentInstance): void;
  onGone(resident: ResidentInstance): void;
}

/** What the instances of a runtime share. */
export interface Surroundings extends Neighbours {
  readonly parts: RuntimeParts;
  readonly rounds: Rounds;
  /** Bodies of all runs. */
  readonly gate: GateLike;
  readonly hub: SignalHub;
  readonly idle: IdleWatch<ResidentInstance>;
  readonly wrapper: Wrapper;
  readonly persistence: Persistence;
  outside(asker: Asker): RunOutside;
  /** No new bodies. */
  closeGate(): void;
  /** As if the process had died: the source is not touched any more. */
  vanish(): void;
}

export function createSurroundings(parts: RuntimeParts, neighbours: Neighbours): Surroundings {
  const { source, operator, sealer, settings, logger } = parts;
  let hasVanished = false;
  const rounds = createRounds(() => {
    if (!hasVanished) source.flush();
  });
  const persistence = new Persistence(source.clock, logger);
  const hub = new SignalHub(source, rounds, persistence);
  const idleMs = Math.min(limits.idleBeforeSuspendMs, settings.suspendAfterMs);
  const idle = new IdleWatch<ResidentInstance>(source.clock, idleMs, (resident) => resident.suspendIfFar());
  const wrapper = createWrapper(sealer);
  const gate = new Gate(settings.stepsMax);
  return {
    parts,
    rounds,
    hub,
    idle,
    wrapper,
    persistence,
    gate: {
      queue: (item) => gate.queue(item),
      leave: () => {
        gate.leave();
        neighbours.onQuiet();
      },
    },
    outside: (asker) => outsideOf(operator, wrapper, source.tenantId, persistence, asker),
    onQuiet: () => neighbours.onQuiet(),
    onStayed: (resident) => neighbours.onStayed(resident),
    onGone: (resident) => neighbours.onGone(resident),
    closeGate: () => gate.close(),
    vanish: () => {
      hasVanished = true;
      gate.close();
      hub.close(true);
      idle.close();
    },
  };
}
