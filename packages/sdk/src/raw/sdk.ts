import { completeConfig, configFromEnv, type Environment, type SdkConfig } from "./config.ts";
import { InstanceSdk } from "./instance-sdk.ts";
import { WireCalls } from "./wire-calls.ts";

/** An {@link InstanceSdk} over the instance protocol. */
export class RuntaraSdk extends InstanceSdk {
  /** Sends nothing. @throws SdkError Config */
  constructor(config: SdkConfig) {
    const settings = completeConfig(config);
    super(settings, new WireCalls(settings, config));
  }

  /** From `RUNTARA_INSTANCE_ID`, `RUNTARA_TENANT_ID` (both required), `RUNTARA_SERVER_ADDR` and so on.
   *  @throws SdkError Config naming the variable that is missing or can't be read */
  static fromEnv(env: Environment = process.env): RuntaraSdk {
    return new RuntaraSdk(configFromEnv(env));
  }

  /** For a core on 127.0.0.1:8001, any certificate. */
  static localhost(instanceId: string, tenantId: string): RuntaraSdk {
    return new RuntaraSdk({ instanceId, tenantId, dangerouslySkipVerification: true });
  }
}
