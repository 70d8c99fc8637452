import { limitOf, offsetOf } from "../../engines/pages.ts";
import type { Page } from "../../operations/index.ts";
import type { Parameter, Statement } from "../connections/port.ts";

/**
 * The conditions of a listing: only those that are asked for are in the text, so that each combination has a plan, and a name, of its own.
 */
export class Conditions {
  readonly values: Parameter[] = [];
  readonly #texts: string[] = [];
  readonly #keys: string[] = [];

  /** Adds `$n` and gives its name. */
  value(value: Parameter): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** Adds a condition on a value, unless that is undefined. `key` tells combinations apart. */
  add(key: string, value: Parameter | undefined, text: (parameter: string) => string): void {
    if (value === undefined) return;
    this.#keys.push(key);
    this.#texts.push(text(this.value(value)));
  }

  get where(): string {
    return this.#texts.length === 0 ? "true" : this.#texts.join(" AND ");
  }

  statement(name: string, text: string): Statement {
    return { name: [name, ...this.#keys].join("_"), text };
  }
}

/** How many rows to read for a page: one more than shown, to know whether another page follows. */
export function rowsOf(page: Page): { readonly limit: number; readonly read: number; readonly offset: number } {
  const limit = limitOf(page);
  return { limit, read: limit + 1, offset: offsetOf(page) };
}
