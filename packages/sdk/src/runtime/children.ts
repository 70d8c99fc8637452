import { FatalError, NotFoundError, StartConflictError, UnsupportedError, ValueTooLargeError } from "../errors.ts";
import type { Operator } from "../ports/operator.ts";
import type { InstanceSession } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { RunOutside } from "../run/control.ts";
import type { ChildCall } from "../run/history.ts";
import type { Wrapper } from "../values/codec-port.ts";
import type { Asker, Persistence } from "./persistence.ts";

type Call = <Answer>(call: () => Promise<Answer>) => Promise<Answer>;

/** Starts a child; idempotent. @throws StartConflictError, UnsupportedError, ValueTooLargeError; like `call` */
export async function startChildOf(
  session: InstanceSession,
  wrapper: Wrapper,
  child: ChildCall,
  call: Call,
): Promise<void> {
  const { instanceId, workflow, version, inputText, resultSignal, detached } = child;
  if (!session.serves.children) throw unsupported("child workflows");
  const { tenantId } = session.work;
  const input = await wrapper.wrapText(inputText, { tenantId, instanceId, id: "!input" });
  try {
    await call(() => session.startChild({ instanceId, workflow, version, input, tags: {}, resultSignal, detached }));
  } catch (error) {
    throw error instanceof SourceError ? startError(error, instanceId) : error;
  }
}

function startError(error: SourceError, instanceId: string): Error {
  switch (error.code) {
    case "CONFLICT":
      return new StartConflictError(
        `instance ${instanceId} exists with another ${error.differs.join(", ")}; give the child another id`,
        { cause: error },
      );
    case "UNSUPPORTED":
      return unsupported(error.feature ?? "child workflows", error);
    case "REFUSED":
      return new ValueTooLargeError(`the child ${instanceId} can't be started: ${error.message}`, { cause: error });
    default:
      return error;
  }
}

function unsupported(feature: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    `the server does not serve ${feature}; use a core of this project, as \`npx runtara core\` starts it`,
    feature,
    { cause },
  );
}

/** What a run does to other instances of its tenant. Trouble is waited out; the rest is the step's error. */
export function outsideOf(
  operator: Operator,
  wrapper: Wrapper,
  tenantId: string,
  persistence: Persistence,
  asker: Asker,
): RunOutside {
  const ask = async (instanceId: string, call: () => Promise<void>): Promise<void> => {
    try {
      await persistence.repeat(asker, call);
    } catch (error) {
      throw outsideError(error, instanceId);
    }
  };
  return {
    async sendSignal(instanceId, name, text, messageId) {
      const at = { tenantId, instanceId, id: `!signal:${name}` };
      const payload = (await wrapper.wrapText(text, at)) ?? new Uint8Array(0);
      try {
        await ask(instanceId, () => operator.sendSignal({ instanceId, name, payload, messageId }));
      } catch (error) {
        if (!(error instanceof SourceError) || (error.code !== "ENDED" && error.code !== "REFUSED")) throw error;
        throw new FatalError(`signal ${JSON.stringify(name)} to instance ${instanceId}: ${error.message}`, {
          cause: error,
        });
      }
    },
    async cancelInstance(instanceId) {
      try {
        await ask(instanceId, () => operator.order(instanceId, "cancel"));
      } catch (error) {
        // What is over need not be cancelled.
        if (!(error instanceof SourceError && error.code === "ENDED")) throw error;
      }
    },
  };
}

function outsideError(error: unknown, instanceId: string): unknown {
  if (!(error instanceof SourceError)) return error;
  if (error.code === "UNKNOWN") return new NotFoundError(`there is no instance ${instanceId}`, { cause: error });
  if (error.code === "UNSUPPORTED") return unsupported(error.feature ?? "signals to other instances", error);
  return error;
}
