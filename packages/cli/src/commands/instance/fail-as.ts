import { isRuntaraError } from "@runtara/sdk";
import { exitCode, fail } from "../../fail.ts";

/** An error with the exit code of its kind. */
export function failAs(error: unknown): void {
  if (isRuntaraError(error, "CONNECTION")) fail(error, exitCode.unavailable);
  else if (isRuntaraError(error, "CONFIG")) fail(error, exitCode.configuration);
  else fail(error);
}
