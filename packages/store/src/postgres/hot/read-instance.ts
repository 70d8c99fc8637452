import type { Instance } from "../../model.ts";
import type { ReadInstance, ReadInstanceResult } from "../../operations/index.ts";
import type { Sessions, Statement } from "../connections/port.ts";
import { distinctIds } from "../parameters.ts";
import { instanceColumns, instanceOf, startedColumns } from "../rows/details.ts";

export const readInstanceStatement: Statement = {
  name: "read_instance",
  text: `SELECT ${instanceColumns} FROM instances i WHERE i.instance_id = ANY ($1::text[])`,
};

export const readStartedStatement: Statement = {
  name: "read_started",
  text: `SELECT ${startedColumns} FROM instances i WHERE i.instance_id = ANY ($1::text[])`,
};

export async function readInstance(
  session: Sessions,
  operations: readonly ReadInstance[],
): Promise<ReadInstanceResult[]> {
  const [plain, started] = await Promise.all([
    read(session, readInstanceStatement, operations.filter(isPlain)),
    read(
      session,
      readStartedStatement,
      operations.filter((operation) => !isPlain(operation)),
    ),
  ]);
  return operations.map((operation) => {
    const { instanceId, tenantId } = operation;
    const instance = (isPlain(operation) ? plain : started).get(instanceId);
    const seen = instance !== undefined && (tenantId === undefined || tenantId === instance.tenantId);
    return seen ? { outcome: "found", instance } : { outcome: "unknownInstance" };
  });
}

function isPlain({ withStart }: ReadInstance): boolean {
  return withStart !== true;
}

async function read(
  session: Sessions,
  statement: Statement,
  operations: readonly ReadInstance[],
): Promise<ReadonlyMap<string, Instance>> {
  if (operations.length === 0) return new Map();
  const { rows } = await session.query(statement, [distinctIds(operations.map(({ instanceId }) => instanceId))]);
  return new Map(rows.map(instanceOf).map((instance) => [instance.instanceId, instance]));
}
