import type { FeatureName } from "@runtara/protocol";

/**
 * What the management protocol of this server serves beside the calls of 1.4.1, and what its health answer announces. The calls of
 * schedules are not among them: they are answered UNSUPPORTED.
 */
export const managementFeatures: readonly FeatureName[] = [
  "error-details",
  "feature-list",
  "signal-queue",
  "tenant-scope",
  "start-workflow",
  "instance-control",
  "query-instances",
  "published-values",
  "history",
  "watch",
];
