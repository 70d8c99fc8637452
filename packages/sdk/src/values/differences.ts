/** Where two JSON values differ, as `input.items[2].price: 5 was stored, 7 was given`. */
export function differences(stored: unknown, given: unknown, path: string): string[] {
  if (Object.is(stored, given)) return [];
  if (Array.isArray(stored) && Array.isArray(given)) {
    const length = Math.max(stored.length, given.length);
    return Array.from({ length }, (_, index) => differences(stored[index], given[index], `${path}[${index}]`)).flat();
  }
  if (isObject(stored) && isObject(given)) {
    const keys = new Set([...Object.keys(stored), ...Object.keys(given)]);
    return [...keys].flatMap((key) => differences(own(stored, key), own(given, key), `${path}.${key}`));
  }
  return [`${path}: ${show(stored)} was stored, ${show(given)} was given`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
