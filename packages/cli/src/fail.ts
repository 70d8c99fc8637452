// How the command says that it can't: one line on stderr, and an exit code.

/** Exit codes; 75 and 78 are those of sysexits.h, 130 is the shell's for Ctrl-C. */
export const exitCode = { failed: 1, unavailable: 75, configuration: 78, interrupted: 130 } as const;

/**
 * Prints an error as one line and sets the exit code. With RUNTARA_DEBUG=1 the stack and causes follow. A text that is a report of
 * several lines keeps them.
 */
export function fail(error: unknown, code: number = exitCode.failed, isReport = false): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`runtara: ${isReport ? message : oneLine(message)}\n`);
  if (process.env.RUNTARA_DEBUG === "1") console.error(error);
  process.exitCode = code;
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
