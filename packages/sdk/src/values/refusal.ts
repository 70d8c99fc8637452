/** Why a value can't be stored, before anybody has said where it came from. */
export class Refusal extends Error {
  /** Where in the value, such as `.items[3].socket`; empty for the value itself. */
  readonly path: string;
  /** What is there, such as "is a function". */
  readonly reason: string;
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`value${path} ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/** The text has outgrown the limit; how far it would grow is not known. */
export class Oversize extends Error {}

/** Words for a value that no rule stores. */
export function reasonFor(value: unknown): string {
  if (typeof value === "function") return "is a function";
  if (typeof value === "symbol") return "is a symbol";
  if (typeof value !== "object" || value === null) return `is a ${typeof value}`;
  if (typeof (value as { then?: unknown }).then === "function") return "is a promise (missing await?)";
  const name = className(value);
  if (name === "WeakMap" || name === "WeakSet" || name === "WeakRef") return `is a ${name}, which can't be listed`;
  if (name === "Number" || name === "String" || name === "Boolean" || name === "BigInt" || name === "Symbol") {
    return `is a boxed ${name}; use the plain one`;
  }
  if (isStream(value)) return `is a ${name}, a stream; read it first`;
  if (name === "Request" || name === "Response" || name === "Headers" || name === "FormData" || name === "Blob") {
    return `is a ${name}; read what you need of it`;
  }
  return `is a ${name}, a class that is not registered; return plain data or call registerClass()`;
}

/** The name of a value's class, for messages. */
export function className(value: object): string {
  try {
    const maker = (value as { constructor?: unknown }).constructor;
    return typeof maker === "function" && maker.name !== "" ? maker.name : "nameless class";
  } catch {
    return "nameless class";
  }
}

function isStream(value: object): boolean {
  const candidate = value as { pipe?: unknown; getReader?: unknown; getWriter?: unknown };
  return [candidate.pipe, candidate.getReader, candidate.getWriter].some((method) => typeof method === "function");
}
