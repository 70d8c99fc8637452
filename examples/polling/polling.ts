// Asks an API until a job is done: often at first, then less and less, for at most a day. Each answer is a step; each wait costs nothing.
import { now, RetryableError, sleep, step, workflow } from "@runtara/sdk";

export interface Job {
  state: "queued" | "running" | "done" | "failed";
  url?: string;
}

export const conversion = workflow("conversion", async (jobId: string) => {
  const deadline = now() + 24 * 3_600_000;
  for (let wait = 5_000; now() < deadline; wait = Math.min(wait * 2, 600_000)) {
    const job = await step("look", (s) => lookUp(jobId, s.signal), { timeout: "30s", retry: { attempts: Infinity } });
    if (job.state === "done") return job;
    if (job.state === "failed") throw new Error(`job ${jobId} has failed`);
    await sleep("pause", wait);
  }
  throw new Error(`job ${jobId} was not done within a day`);
});

async function lookUp(jobId: string, signal: AbortSignal): Promise<Job> {
  const response = await fetch(`${process.env.JOBS_URL}/${jobId}`, { signal });
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after") ?? 60);
    // The next attempt begins no sooner, also after a crash.
    throw new RetryableError("asked too often", { after: seconds * 1_000 });
  }
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as Job;
}
