import type { Message } from "@bufbuild/protobuf";
import { ProtocolError } from "../errors.ts";
import type { ArmsByFeature, ExtensionArm, FeatureName } from "../features.ts";
import type { Answer, RequestMessage } from "../protocols/calls.ts";
import type { Protocol, RequestEnvelope, RequestOf, ResponseEnvelope } from "../protocols/protocol.ts";
import type { ServeContext } from "./serve-context.ts";

/** What a handler of one request returns; calls that are answered with the end of the stream may return anything. */
type Answered<M> = M extends RequestMessage ? (Answer<M> extends undefined ? unknown : Answer<M>) : never;
type ValueOf<Request extends RequestEnvelope, Case> = Extract<RequestOf<Request>, { case: Case }>["value"];

type Handlers<Request extends RequestEnvelope, Response extends ResponseEnvelope, Cases> = {
  readonly [Case in Cases & RequestOf<Request>["case"]]: (
    request: ValueOf<Request, Case>,
    context: ServeContext<Request, Response>,
  ) => Answered<ValueOf<Request, Case>> | Promise<Answered<ValueOf<Request, Case>>>;
};

type FeatureHandlers<
  Request extends RequestEnvelope,
  Response extends ResponseEnvelope,
  Arms = ArmsByFeature<Request>,
> = {
  readonly [Feature in keyof Arms]?: Handlers<
    Request,
    Response,
    Arms[Feature] extends readonly (infer Arm)[] ? Arm : never
  >;
};

/**
 * A handler for every call of 1.4.1; one that is missing, or returns another call's answer, does not compile. Extensions
 * are served feature by feature, `features: { "work-queue": { claimWork, renewLease, releaseWork } }`, each with all its
 * handlers.
 */
export type Service<Request extends RequestEnvelope, Response extends ResponseEnvelope> = Handlers<
  Request,
  Response,
  Exclude<RequestOf<Request>["case"], ExtensionArm<Request>>
> & { readonly features?: FeatureHandlers<Request, Response> };

export type Handler<Request extends RequestEnvelope, Response extends ResponseEnvelope> = (
  value: Message,
  context: ServeContext<Request, Response>,
) => unknown;

type Group<Request extends RequestEnvelope, Response extends ResponseEnvelope> = Readonly<
  Record<string, Handler<Request, Response> | undefined>
>;

/**
 * The handler of each call that `service` serves, each with its own object as `this`.
 *
 * @throws ProtocolError OPTION_INVALID for a feature that the protocol does not have, or has only a part of its handlers.
 */
export function handlersOf<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  service: Service<Request, Response>,
): ReadonlyMap<string, Handler<Request, Response>> {
  const groups = (service.features ?? {}) as Readonly<Record<string, Group<Request, Response> | undefined>>;
  for (const feature of Object.keys(groups)) checkFeature(protocol, feature);
  const handlers = new Map<string, Handler<Request, Response>>();
  for (const arm of protocol.requestCases.values()) {
    const feature = protocol.extensions.get(arm);
    const group = feature === undefined ? (service as unknown as Group<Request, Response>) : groups[feature];
    const handler = group?.[arm];
    if (handler !== undefined) handlers.set(arm, handler.bind(group));
    else if (feature !== undefined && group !== undefined) {
      const text = `a service with the feature "${feature}" must have a handler for ${arm}`;
      throw new ProtocolError("OPTION_INVALID", text);
    }
  }
  return handlers;
}

function checkFeature(protocol: Pick<Protocol, "name" | "extensions">, feature: string): void {
  const known = new Set<string>(protocol.extensions.values());
  if (known.has(feature)) return;
  const text = `the ${protocol.name} protocol has no feature "${feature}" with calls; it has ${[...known].join(", ")}`;
  throw new ProtocolError("OPTION_INVALID", text);
}

/** The features whose calls `service` serves: the names for its registration or health answer. */
export function servedFeatures(service: { readonly features?: object }): readonly FeatureName[] {
  const groups = Object.entries(service.features ?? {}).filter(([, group]) => group !== undefined);
  return groups.map(([feature]) => feature as FeatureName);
}
