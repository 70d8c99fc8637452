import { ProtocolError } from "./errors.ts";

/**
 * Arms of the request envelopes with numbers 100 to 199, by protocol and by the feature they belong to. A server serves
 * all arms of a feature or none.
 */
export const featureArms = {
  instance: {
    "checkpoint-batch": ["checkpointBatch"],
    "list-own-checkpoints": ["listOwnCheckpoints"],
    "wait-signals": ["waitSignals"],
    "suspend-until": ["suspendUntil"],
    children: ["startChild"],
    publish: ["publish"],
    "checkpoint-batches": ["checkpointBatches"],
    "work-queue": ["claimWork", "renewLease", "releaseWork"],
    management: ["management"],
  },
  environment: {
    management: ["management"],
  },
  management: {
    "start-workflow": ["startWorkflow", "waitResult"],
    "instance-control": ["cancelInstance", "killInstance", "pauseInstance", "resumeInstance"],
    "query-instances": ["queryInstances"],
    "published-values": ["getPublished"],
    history: ["listHistory"],
    watch: ["watchInstance", "watchInstances"],
    schedules: ["putSchedule", "listSchedules", "deleteSchedule"],
  },
} as const;

interface FeatureRow {
  /** Fields and enum values of messages of 1.4.1 that belong to it, as `package.Message.field`. */
  readonly fields: readonly string[];
  /** What to do where it is not served. */
  readonly without: string;
}

/** Every feature that this version knows: a closed list. The names are what servers announce. */
export const featureNames = [
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
  "checkpoint-batches",
  "work-queue",
  "management",
  "signal-queue",
  "tenant-scope",
  "start-workflow",
  "instance-control",
  "query-instances",
  "published-values",
  "history",
  "watch",
  "schedules",
  "image-workflows",
  "worker-images",
] as const;

export type FeatureName = (typeof featureNames)[number];

/** What each feature covers beside the arms above, and what a client does without it. */
export const features: Readonly<Record<FeatureName, FeatureRow>> = {
  "error-details": {
    fields: ["instance", "environment", "management"].flatMap((name) =>
      ["fine_code", "retryable", "retry_after_ms"].map((field) => `${name}.RpcError.${field}`),
    ),
    without: "read the code and text of the error",
  },
  "feature-list": {
    fields: [
      "instance.RegisterInstanceResponse.features",
      "environment.HealthCheckResponse.features",
      "management.HealthCheckResponse.features",
    ],
    without: "use the base protocol",
  },
  "start-facts": {
    fields: [
      "instance.RegisterInstanceRequest.wants_start_facts",
      "instance.RegisterInstanceRequest.token",
      "instance.RegisterInstanceRequest.client",
      "instance.RegisterInstanceResponse.start",
      "instance.RegisterInstanceResponse.fine_code",
      "instance.RegisterInstanceResponse.retryable",
    ],
    without: "keep the start facts in a first checkpoint",
  },
  epoch: {
    fields: [
      "CheckpointRequest",
      "SleepRequest",
      "InstanceEvent",
      "RetryAttemptEvent",
      "SignalAck",
      "PollSignalsRequest",
    ].map((message) => `instance.${message}.epoch`),
    without: "see to it that one instance has one process",
  },
  "checkpoint-batch": { fields: [], without: "save each entry with a checkpoint call" },
  "list-own-checkpoints": { fields: [], without: "read each checkpoint with a get_checkpoint call" },
  "wait-signals": { fields: [], without: "ask again and again with poll_signals" },
  "suspend-until": { fields: ["instance.InstanceEvent.reason"], without: "report EVENT_SUSPENDED, or stay and wait" },
  "retry-time": {
    fields: ["instance.RetryAttemptEvent.next_at_ms"],
    without: "begin the attempt at once after a restart",
  },
  "failure-details": { fields: ["instance.InstanceEvent.failure"], without: "put the error into the payload as text" },
  children: { fields: [], without: "start instances from outside" },
  publish: { fields: [], without: "note values as custom events" },
  "checkpoint-batches": { fields: [], without: "save the batch of each instance with a call of its own" },
  "work-queue": { fields: [], without: "let an environment start a process for each instance" },
  management: { fields: [], without: "connect to the port of the management protocol" },
  "signal-queue": {
    fields: ["management", "environment"].flatMap((name) =>
      ["queued", "message_id"].map((field) => `${name}.SendCustomSignalRequest.${field}`),
    ),
    without: "send a custom signal; of several unread ones the last counts",
  },
  "tenant-scope": {
    fields: [
      "SendSignalRequest",
      "SendCustomSignalRequest",
      "GetInstanceStatusRequest",
      "ListCheckpointsRequest",
      "GetCheckpointRequest",
    ].map((message) => `management.${message}.tenant_id`),
    without: "compare the tenants of list_instances first",
  },
  "start-workflow": { fields: [], without: "start an image with start_instance of an environment" },
  "instance-control": { fields: [], without: "send a signal, or use stop_instance of an environment" },
  "query-instances": {
    fields: ["management.GetInstanceStatusResponse.details"],
    without: "page through list_instances",
  },
  "published-values": { fields: [], without: "read custom events with list_events of an environment" },
  history: {
    fields: ["management.GetInstanceStatusRequest.wants_start", "management.GetInstanceStatusResponse.start"],
    without: "use list_checkpoints and get_checkpoint",
  },
  watch: { fields: [], without: "ask get_instance_status or list_instances again and again" },
  schedules: { fields: [], without: "start instances with a clock of your own" },
  "image-workflows": {
    fields: [
      "environment.RegisterImageRequest.workflows",
      "environment.RegisterImageStreamStart.workflows",
      "environment.ImageSummary.workflows",
    ],
    without: "start the image by its id",
  },
  "worker-images": { fields: ["environment.RunnerType.RUNNER_WORKER"], without: "run the worker yourself" },
};

export function isFeatureName(name: string): name is FeatureName {
  return Object.hasOwn(features, name);
}

/** What a server has said that it serves. Names that this version does not know are kept. */
export class Features {
  readonly names: ReadonlySet<string>;

  /** The names in a registration, claim or health answer; none = a server of the base protocol. */
  constructor(names: Iterable<string> = []) {
    this.names = new Set(names);
  }

  has(name: FeatureName): boolean {
    return this.names.has(name);
  }
}

/**
 * For calls and fields that make no sense where the server would skip them.
 *
 * @throws ProtocolError UNSUPPORTED that names the feature, and what to do instead.
 */
export function requireFeature(served: Features, name: FeatureName): void {
  if (served.has(name)) return;
  const what = served.names.size === 0 ? "the base protocol alone" : "others";
  const text = `the server does not serve the feature "${name}" (it announces ${what})`;
  throw new ProtocolError("UNSUPPORTED", `${text}; use a server that does, or ${features[name].without}`);
}

type NameOfProtocol = keyof typeof featureArms;

/** The features that have calls or fields in a protocol, in the order of `featureNames`. */
export function featuresOf(protocol: NameOfProtocol): readonly FeatureName[] {
  const hasFields = (name: FeatureName) => features[name].fields.some((field) => field.startsWith(`${protocol}.`));
  return featureNames.filter((name) => Object.hasOwn(featureArms[protocol], name) || hasFields(name));
}

/** The feature that each extension arm of a protocol belongs to. */
export function extensionArms(protocol: string): ReadonlyMap<string, FeatureName> {
  const byArm = new Map<string, FeatureName>();
  if (!Object.hasOwn(featureArms, protocol)) return byArm;
  for (const [feature, arms] of Object.entries<readonly string[]>(featureArms[protocol as NameOfProtocol])) {
    for (const arm of arms) byArm.set(arm, feature as FeatureName);
  }
  return byArm;
}

/** The arms by feature of the protocol whose request envelope this is. */
export type ArmsByFeature<Request extends { readonly $typeName: string }> =
  Request["$typeName"] extends `runtara.${infer Name extends NameOfProtocol}.RpcRequest`
    ? (typeof featureArms)[Name]
    : object;

/** Every extension arm of it. */
export type ExtensionArm<Request extends { readonly $typeName: string }> = ArmNames<ArmsByFeature<Request>>;
type ArmNames<Arms> = {
  [Feature in keyof Arms]: Arms[Feature] extends readonly (infer Arm)[] ? Arm : never;
}[keyof Arms];
