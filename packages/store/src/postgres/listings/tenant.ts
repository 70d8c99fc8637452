/** Another tenant's instance counts as one that does not exist. */
export function ofTenant(instanceId: string, tenant: string): string {
  return `EXISTS (SELECT FROM instances i WHERE i.instance_id = ${instanceId} AND i.tenant_id = ${tenant})`;
}
