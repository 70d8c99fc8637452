import type { ReadInstance, ReadInstanceResult } from "../../operations/index.ts";
import type { Sessions, Statement } from "../connections/port.ts";
import { distinctIds } from "../parameters.ts";
import { instanceColumns, instanceOf } from "../rows/details.ts";

export const readInstanceStatement: Statement = {
  name: "read_instance",
  text: `SELECT ${instanceColumns} FROM instances i WHERE i.instance_id = ANY ($1::text[])`,
};

export async function readInstance(
  session: Sessions,
  operations: readonly ReadInstance[],
): Promise<ReadInstanceResult[]> {
  const { rows } = await session.query(readInstanceStatement, [
    distinctIds(operations.map(({ instanceId }) => instanceId)),
  ]);
  const instances = new Map(rows.map(instanceOf).map((instance) => [instance.instanceId, instance]));
  return operations.map(({ instanceId, tenantId }) => {
    const instance = instances.get(instanceId);
    const seen = instance !== undefined && (tenantId === undefined || tenantId === instance.tenantId);
    return seen ? { outcome: "found", instance } : { outcome: "unknownInstance" };
  });
}
