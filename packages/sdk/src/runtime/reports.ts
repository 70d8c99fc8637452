import { limits } from "../limits.ts";
import type { Report } from "../ports/source.ts";
import type { RunEnd } from "../run/control.ts";
import { storeError } from "../run/store-error.ts";
import type { Wrapper } from "../values/codec-port.ts";
import { thrownText } from "../values/thrown-text.ts";

/** The last word on an instance, as it goes out; undefined: there is nothing to say (another process owns it, it was put away, it goes on). */
export async function reportOf(
  end: RunEnd,
  about: { readonly workflow: string; readonly tenantId: string; readonly instanceId: string },
  { wrapper, isPlain }: { readonly wrapper: Wrapper; readonly isPlain: boolean },
): Promise<Report | undefined> {
  const { tenantId, instanceId, workflow } = about;
  switch (end.is) {
    case "returned":
      return {
        is: "completed",
        output: await wrapper.wrapText(end.text, { tenantId, instanceId, id: "!output" }),
      };
    case "threw":
      return failure(end.error);
    case "diverged":
      return { is: "diverged", report: utf8.encode(JSON.stringify(end.error.report)) };
    case "cancelled":
    case "paused":
      return { is: end.is };
    default:
      return undefined;
  }

  async function failure(thrown: unknown): Promise<Report> {
    const { text, error } = storeError(thrown, () => `workflow ${JSON.stringify(workflow)}`);
    const failure = (await wrapper.wrapText(text, { tenantId, instanceId, id: "!failure" })) ?? new Uint8Array(0);
    return { is: "failed", error: readableText(errorText(error), isPlain), failure };
  }
}

/** What peers without our values get to read: `Name: message`. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : thrownText(error);
  return text.slice(0, limits.errorTextCharsMax);
}

/** What of an error's text may lie in the store as it is: with codecs only its name, for a message can hold anything. */
export function readableText(text: string, isPlain: boolean): string {
  return isPlain
    ? text.slice(0, limits.errorTextCharsMax)
    : (/^[A-Za-z_$][\w$.]{0,127}(?=:|$)/.exec(text)?.[0] ?? "Error");
}

const utf8 = new TextEncoder();
