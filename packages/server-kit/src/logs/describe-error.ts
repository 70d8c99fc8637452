import { limits } from "../limits.ts";

/** An error as an entry of the log shows it: no text twice. */
export interface DescribedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  /** From the outermost inwards; without a message if that is part of what is said before. */
  readonly causes?: readonly DescribedCause[];
  /** Where the innermost of them that knows was made: its frames, without its message. */
  readonly stack?: string;
}

export interface DescribedCause {
  readonly code?: string;
  readonly message?: string;
}

/**
 * What the log says of an error: messages of wrapped errors usually repeat those of their causes, so a cause adds only what is
 * new. At most `limits.loggedCausesMax` causes are shown. What is no error stays what it is. Messages and stacks need not be texts: errors
 * are of any making. Pure.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const inner = causesOf(error);
  const causes: DescribedCause[] = [];
  const code = codeOf(error);
  const codes = new Set([code]);
  const outermost = String(error.message);
  let said = outermost;
  for (const cause of inner) {
    const message = String(cause.message);
    const itsCode = codeOf(cause);
    const isNewCode = itsCode !== undefined && !codes.has(itsCode);
    const isNewText = !said.includes(message);
    if (isNewCode || isNewText) {
      causes.push({ ...(isNewCode ? { code: itsCode } : {}), ...(isNewText ? { message } : {}) });
    }
    codes.add(itsCode);
    said += `\n${message}`;
  }
  const stack = [error, ...inner].map(framesOf).findLast((frames) => frames !== "");
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: outermost,
    ...(causes.length === 0 ? {} : { causes }),
    ...(stack === undefined ? {} : { stack }),
  } satisfies DescribedError;
}

/** What an error was caused by, and what an AggregateError is made of, outermost first; each once. */
function causesOf(error: Error): readonly Error[] {
  const found = new Set<Error>([error]);
  for (const each of found) {
    const inner: unknown[] = [each.cause, ...(each instanceof AggregateError ? each.errors : [])];
    for (const cause of inner) {
      if (cause instanceof Error && found.size <= limits.loggedCausesMax) found.add(cause);
    }
  }
  return [...found].slice(1);
}

function codeOf(error: Error): string | undefined {
  return "code" in error && error.code !== undefined ? String(error.code) : undefined;
}

/** A stack begins with the message, which may have lines of its own. */
function framesOf({ stack }: { readonly stack?: unknown }): string {
  const lines = typeof stack === "string" ? stack.split("\n") : [];
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  return first < 0 ? "" : lines.slice(first).join("\n");
}
