export type ConfigErrorCode = "MISSING" | "INVALID";

/** A setting that is absent or cannot be understood. The message is one line that names the variable and the form it needs. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: ConfigErrorCode;
  readonly variable: string;

  constructor(code: ConfigErrorCode, variable: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.variable = variable;
  }

  static missing(variable: string): ConfigError {
    return new ConfigError("MISSING", variable, `missing required environment variable: ${variable}`);
  }

  /** `form` completes the sentence "must be …"; the value that was found closes the line. */
  static invalid(variable: string, form: string, value: string): ConfigError {
    return new ConfigError(
      "INVALID",
      variable,
      `invalid value for ${variable}: must be ${form} (got ${quoted(value)})`,
    );
  }
}

const shownCharactersMax = 60;

function quoted(value: string): string {
  return JSON.stringify(value.length > shownCharactersMax ? `${value.slice(0, shownCharactersMax)}…` : value);
}
