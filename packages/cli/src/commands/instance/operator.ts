import { type OpenOperator, openOperator } from "@runtara/sdk/testing";
import { loadDotEnv } from "@runtara/server-kit";

export interface OperatorOptions {
  readonly server?: string;
  readonly databaseUrl?: string;
  readonly tenant?: string;
}

/** Through a core; with --database-url on the database itself. @throws ConfigError, ConnectionError */
export async function operatorOf({ server, databaseUrl, tenant }: OperatorOptions): Promise<OpenOperator> {
  loadDotEnv();
  if (databaseUrl !== undefined) {
    return openOperator(databaseUrl, tenant ?? (process.env.RUNTARA_TENANT_ID || "default"));
  }
  // The addon is loaded only where a core is asked.
  const { connectOperator } = await import("@runtara/sdk/worker");
  return connectOperator({
    ...(server === undefined ? {} : { server }),
    ...(tenant === undefined ? {} : { tenantId: tenant }),
  });
}
