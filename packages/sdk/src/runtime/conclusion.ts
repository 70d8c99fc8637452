import { FatalError, isRuntaraError, ValueTooLargeError } from "../errors.ts";
import type { InstanceSession, Report } from "../ports/source.ts";
import { SourceError } from "../ports/source-error.ts";
import type { RunEnd } from "../run/control.ts";
import type { Wrapper } from "../values/codec-port.ts";
import type { Asker, Persistence } from "./persistence.ts";
import { reportOf } from "./reports.ts";

interface ConclusionParts {
  readonly session: InstanceSession;
  readonly workflow: string;
  readonly wrapper: Wrapper;
  /** No codecs: texts may lie in the store as they are. */
  readonly isPlain: boolean;
  readonly persistence: Persistence;
  readonly asker: Asker;
}

/** Says the last word on an instance, again and again until it is taken. What the server refuses for its form or size is reported as a failure.
 *  @returns false: the end no longer holds, as another signal has come; the next claim has to look
 *  @throws SourceError: fenced, over, closed, or refused for good */
export async function conclude(parts: ConclusionParts, end: RunEnd): Promise<boolean> {
  const report = await makeReport(parts, end);
  if (report === undefined) return true;
  try {
    await tell(parts, report);
    return true;
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== "REFUSED") throw error;
    if (report.is === "paused" || report.is === "cancelled") return false;
    await tell(parts, await failure(parts, new FatalError(`the end was refused: ${error.message}`, { cause: error })));
    return true;
  }
}

function tell({ session, persistence, asker }: ConclusionParts, report: Report): Promise<void> {
  return persistence.repeat(asker, () => session.report(report));
}

/** A codec that fails is asked again; a value it makes too large fails the instance. */
async function makeReport(parts: ConclusionParts, end: RunEnd): Promise<Report | undefined> {
  const { workflow, session, persistence, asker } = parts;
  const { tenantId, instanceId } = session.work;
  try {
    return await persistence.repeat(asker, async () => {
      try {
        return await reportOf(end, { workflow, tenantId, instanceId }, parts);
      } catch (error) {
        throw isRuntaraError(error, "CONFIG") ? new SourceError("AWAY", error.message, { cause: error }) : error;
      }
    });
  } catch (error) {
    if (error instanceof ValueTooLargeError) return failure(parts, error);
    throw error;
  }
}

/** Without stack and cause: those may be what was too large. */
function failure(parts: ConclusionParts, { name, message }: Error): Promise<Report> {
  const short = new Error(message);
  short.name = name;
  delete short.stack;
  return makeReport(parts, { is: "threw", error: short }) as Promise<Report>;
}
