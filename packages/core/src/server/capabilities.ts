import { type FeatureName, featuresOf } from "@runtara/protocol";

// What the ports serve beyond 1.4.1: announced to clients, and let through to the dispatchers. Every name stands for all of its calls and
// fields.

/** In answers to registrations and claims. */
export const instanceFeatures: readonly FeatureName[] = featuresOf("instance");

/** In answers to questions after the health. */
export const managementFeatures: readonly FeatureName[] = featuresOf("management");
