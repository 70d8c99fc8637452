// A report every working day at seven in Berlin. A schedule is a row in the store: every process of the fleet may put it at its start, one
// of them fires each time, and the instance's id is the schedule's with the planned time, so no report is made twice.
import { step, workflow } from "@runtara/sdk";
import type { Runtime } from "@runtara/sdk/embedded";

export const report = workflow("report", async ({ team }: { team: string }) => {
  const figures = await step("collect", () => collect(team));
  const text = `${team}: ${figures.join(", ")}`;
  await step("send", (s) => send(text, s.idempotencyKey), { retry: { attempts: 10, backoff: "1m" } });
  return text;
});

/** To be called at the start of the program, as often as you like. */
export async function putSchedules(rt: Runtime): Promise<void> {
  await rt.schedules.put({
    id: "daily-report",
    workflow: report.name,
    input: { team: "sales" },
    cron: "0 7 * * 1-5",
    timezone: "Europe/Berlin",
    overlap: "skip", // while yesterday's still runs, today's is left out
    catchUp: "last", // after an outage: the newest missed one
  });
}

async function collect(_team: string): Promise<number[]> {
  return [12, 30]; // your database goes here
}

async function send(text: string, _idempotencyKey: string): Promise<void> {
  console.log(text); // and your chat or mail service here
}
