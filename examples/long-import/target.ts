/** Where the lines go: stand-ins for tables with a primary key. */
const tables = new Map<string, Map<string, string>>();

export function tableOf(name: string): Map<string, string> {
  const table = tables.get(name) ?? new Map<string, string>();
  tables.set(name, table);
  return table;
}
