import type { Context } from "./context.ts";

type Tags = Readonly<Record<string, string>>;

export function prepareTags({ connection }: Context): (key: number) => Tags {
  const select = connection.prepare("SELECT tags FROM instances WHERE instance_key = ?");
  return (key) => parseTags(select.get<[string | null]>(key)?.[0] ?? null);
}

export function parseTags(json: string | null): Tags {
  return json === null ? {} : (JSON.parse(json) as Tags);
}
