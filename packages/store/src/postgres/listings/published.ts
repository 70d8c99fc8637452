import type { CheckHealthResult, ReadPublished, ReadPublishedResult } from "../../operations/index.ts";
import type { Connections, Statement } from "../connections/port.ts";
import { publishedOf } from "./history.ts";

/** $1 instance, $2 tenant or NULL, $3 key or NULL. A row without a value where there is none. */
const publishedStatement: Statement = {
  name: "read_published",
  text: `
SELECT p.key, p.value, p.updated_ms FROM instances i
  LEFT JOIN published_values p ON p.instance_id = i.instance_id AND ($3::text IS NULL OR p.key = $3)
WHERE i.instance_id = $1 AND ($2::text IS NULL OR i.tenant_id = $2) ORDER BY p.key COLLATE "C"`,
};

const healthStatement: Statement = {
  name: "check_health",
  text: "SELECT count(*) FROM instances WHERE status IN ('running', 'suspended')",
};

export async function readPublished(connections: Connections, operation: ReadPublished): Promise<ReadPublishedResult> {
  const { instanceId, tenantId = null, key = null } = operation;
  const { rows } = await connections.readers.query(publishedStatement, [instanceId, tenantId, key]);
  if (rows.length === 0) return { outcome: "unknownInstance" };
  return { outcome: "found", values: rows.filter(([name]) => name !== null).map(publishedOf) };
}

export async function checkHealth(connections: Connections): Promise<CheckHealthResult> {
  const { rows } = await connections.readers.query(healthStatement, []);
  return { outcome: "healthy", active: (rows[0]?.[0] as number | undefined) ?? 0 };
}
