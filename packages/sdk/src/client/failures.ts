import {
  ConfigError,
  ConnectionError,
  ContextError,
  FencedError,
  NotFoundError,
  type RuntaraError,
  StartConflictError,
  UnsupportedError,
} from "../errors.ts";
import type { SourceError } from "../ports/source-error.ts";

/** What a source failed with, in the words of the public API. `what` names the call: `handle.signal("approved") of order-7`. */
export function clientError(error: SourceError, what: string): RuntaraError {
  const message = `${what}: ${error.message}`;
  const options = { cause: error };
  switch (error.code) {
    case "UNKNOWN":
      return new NotFoundError(message, options);
    case "CONFLICT":
      return new StartConflictError(message, options);
    case "ENDED":
      return new ContextError(message, options);
    case "REFUSED":
      return new ConfigError(message, options);
    case "UNSUPPORTED":
      return new UnsupportedError(message, error.feature ?? "", options);
    case "FENCED":
      return new FencedError(message, options);
    case "AWAY":
    case "CLOSED":
      return new ConnectionError(message, options);
  }
}
