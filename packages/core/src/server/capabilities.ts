import type { FeatureName } from "@runtara/protocol";

/**
 * What the instance port serves beyond 1.4.1: announced in answers to registrations and claims, and let through to the dispatcher. Every
 * name stands for all of its calls and fields.
 */
export const instanceFeatures: readonly FeatureName[] = [
  "error-details",
  "feature-list",
  "start-facts",
  "epoch",
  "checkpoint-batch",
  "list-own-checkpoints",
  "wait-signals",
  "suspend-until",
  "retry-time",
  "failure-details",
  "children",
  "publish",
  "work-queue",
  "management",
];
