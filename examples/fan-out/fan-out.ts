// A thousand items at once. `key` names the step by its item, so the order in which they end, or are listed next time, does not matter.
// At most 256 bodies run at a time (`concurrency.steps` of the runtime); results that end together are stored together.
import { step, workflow } from "@runtara/sdk";

export interface Picture {
  id: string;
  bytes: number;
}

export const thumbnails = workflow("thumbnails", async (pictures: Picture[]) => {
  const results = await Promise.allSettled(
    pictures.map((picture) =>
      step("shrink", () => shrink(picture), { key: picture.id, retry: { attempts: 2, backoff: "1s" } }),
    ),
  );
  const done = results.filter((result) => result.status === "fulfilled");
  return {
    done: done.length,
    failed: pictures.filter((_, index) => results[index]?.status === "rejected").map(({ id }) => id),
    bytes: done.reduce((sum, { value }) => sum + value, 0),
  };
});

/** Your image library goes here; it gives the size of the small one. */
async function shrink({ id, bytes }: Picture): Promise<number> {
  if (bytes === 0) throw new Error(`${id} is empty`);
  return Math.ceil(bytes / 100);
}
