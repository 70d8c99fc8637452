import { AssertionError } from "node:assert";
import type { AnyWorkflow, Handle, InputOf } from "@runtara/sdk/testing";
import type { CrashPoint } from "./dying-store.ts";
import { Kit } from "./kit.ts";
import { limits } from "./limits.ts";
import type { Recorder } from "./recorder.ts";
import { turns } from "./shuffle.ts";
import type { RepeatOptions } from "./types.ts";
import { type World, worldOf } from "./world.ts";

/** What is run again and again. */
export interface Subject<W extends AnyWorkflow> extends RepeatOptions<W> {
  /** Begins each failure's text. */
  readonly what: string;
  readonly workflow: W;
  readonly input: InputOf<W>;
  readonly seed: number;
}

export interface Trial {
  readonly world: World;
  readonly recorder: Recorder;
}

/** One run of the workflow from its start to its end, on a disk and a clock of its own. @throws AssertionError: it does not end */
export async function tryOut<W extends AnyWorkflow>(
  subject: Subject<W>,
  how: { readonly crashes?: readonly CrashPoint[]; readonly shuffleSeed?: number } = {},
): Promise<Trial> {
  const { workflow, input, startAt, workflows = [], reset, drive = passTime } = subject;
  await reset?.();
  const kit = new Kit({
    workflows: [workflow, ...workflows],
    seed: subject.seed,
    isHeld: true,
    ...(startAt === undefined ? {} : { startAt }),
    ...(how.crashes === undefined ? {} : { crashes: how.crashes }),
    ...(how.shuffleSeed === undefined ? {} : { shuffleSeed: how.shuffleSeed }),
  });
  try {
    // An input of undefined is as good as none.
    const handle = await kit.start<AnyWorkflow>(workflow, input, { id: workflow.name });
    kit.begin();
    await drive(kit, handle as Handle<W>);
    await kit.idle();
    await checkEnd(kit, subject, handle);
    return { world: await worldOf(kit.disk, kit.tenantId), recorder: kit.recorder };
  } finally {
    await kit.close();
  }
}

/** The default drive: lets time pass until the workflow has ended or nothing is due any more. */
async function passTime(test: unknown, handle: Handle<AnyWorkflow>): Promise<void> {
  const kit = test as Kit;
  for (let jumps = 0; jumps < limits.jumpsMax && !(await hasEnded(handle)); jumps++) {
    if (!(await kit.next()) && !(await hasEnded(handle)) && !(await movesByItself(kit))) return;
  }
}

/** True when something happens in real time: the code awaits what is not durable. */
async function movesByItself(kit: Kit): Promise<boolean> {
  const { moves } = kit;
  for (const endMs = performance.now() + limits.foreignMs; performance.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, limits.lookMs));
    await turns(1);
    if (kit.moves !== moves) return true;
  }
  return false;
}

async function hasEnded(handle: Handle<AnyWorkflow>): Promise<boolean> {
  const { status } = await handle.status();
  return status === "completed" || status === "failed" || status === "cancelled";
}

async function checkEnd<W extends AnyWorkflow>(
  kit: Kit,
  { what, drive, seed }: Subject<W>,
  handle: Handle<AnyWorkflow>,
): Promise<void> {
  const { status, reason, waitingFor = [] } = await handle.status();
  if (status === "completed" || status === "failed" || status === "cancelled") return;
  const { divergences, warnings } = kit.recorder;
  const why =
    divergences.length > 0
      ? divergences.join("\n")
      : waitingFor.length > 0
        ? `it waits for ${waitingFor.map((name) => JSON.stringify(name)).join(", ")}, which nobody sends: ${drive === undefined ? "pass a drive that does" : "the drive ended before"}`
        : `it is ${status}${reason === undefined ? "" : ` (${reason})`} and nothing is due`;
  throw new AssertionError({
    message: [
      `${what} did not end${placesOf(kit.recorder)}: ${why}.`,
      ...warnings.map((warning) => `  warning: ${warning}`),
      `  seed: ${seed}`,
    ].join("\n"),
    actual: status,
    expected: "completed, failed or cancelled",
    operator: "everyCrash",
  });
}

/** Where the processes of a run died, as the end of a sentence. */
export function placesOf({ deaths }: Recorder): string {
  return deaths.length === 0 ? "" : ` with a crash ${deaths.map(({ label }) => label).join(" and ")}`;
}
