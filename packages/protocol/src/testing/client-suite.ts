import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuicClient } from "../client/client.ts";
import type { FeatureName } from "../features.ts";
import type { Protocol, RequestEnvelope, ResponseEnvelope } from "../protocols/protocol.ts";
import type { Caller } from "../protocols/typed-client.ts";
import type { ServerCall } from "../server/call.ts";
import { serve } from "../server/serve.ts";
import { QuicServer } from "../server/server.ts";
import type { Service } from "../server/service.ts";
import { memoryTransport } from "../transport/memory/transport.ts";

/** A typed client, whatever its protocol. */
type Methods = Readonly<Record<string, (init: object, options?: { signal?: AbortSignal }) => Promise<unknown>>>;

/** What every typed client must do; the same for the three protocols. `makeClient` gives all its methods. */
export function typedClientSuite<Request extends RequestEnvelope, Response extends ResponseEnvelope>(
  protocol: Protocol<Request, Response>,
  makeClient: (caller: Caller) => object,
): void {
  const methodsOf = (caller: Caller): Methods => makeClient(caller) as Methods;
  const calls = [...protocol.requestCases.values()].filter((name) => !protocol.streamed.includes(name));

  /** Runs `use` with a client of a server that answers as `onCall` says. */
  async function withServer(
    onCall: (call: ServerCall<Request, Response>) => void,
    use: (methods: Methods) => Promise<void>,
    features: readonly FeatureName[] = [...protocol.extensions.values()],
  ): Promise<void> {
    const transport = memoryTransport();
    await using server = await QuicServer.listen<Request, Response>({ transport, protocol, onCall, features });
    await using client = QuicClient.localhost({ transport, serverAddr: server.address });
    await use(methodsOf(client));
  }

  /** The answer that belongs to the call, with every field at its default. */
  function answerTo(call: ServerCall<Request, Response>): void {
    const answer = protocol.answers[call.request.case];
    const field = protocol.responseSchema.fields.find(({ localName }) => localName === answer);
    if (field?.fieldKind === "message") call.respond(create(field.message) as Parameters<typeof call.respond>[0]);
    else call.finish();
  }

  void describe(`typed client of the ${protocol.name} protocol`, () => {
    void test("one method for each call, and nothing else", () => {
      const nobody: Caller = { call: () => Promise.reject(new Error("nothing is sent")) };
      assert.deepEqual(Object.keys(methodsOf(nobody)).sort(), calls.toSorted());
    });

    void test("each method sends its own request and brings its own answer; those without one resolve at the end", async () => {
      const seen: string[] = [];
      const onCall = (call: ServerCall<Request, Response>): void => {
        seen.push(call.request.case);
        answerTo(call);
      };
      await withServer(onCall, async (methods) => {
        for (const name of calls) {
          const { [name]: method } = methods;
          const answer = (await method?.({})) as { $typeName: string } | undefined;
          const expected = protocol.answers[name];
          assert.equal(answer && protocol.responseCases.get(answer.$typeName), expected, name);
        }
      });
      assert.deepEqual(seen, calls);
    });

    void test("an error of the server is an error of the method, with its details", async () => {
      const refuse = (call: ServerCall<Request, Response>): void =>
        call.respondError("SOME_ERROR", "refused", { fineCode: "PERMISSION_DENIED", retryable: false });
      await withServer(refuse, async (methods) => {
        const expected = { code: "RPC", rpcCode: "SOME_ERROR", fineCode: "PERMISSION_DENIED", isRetryable: false };
        for (const name of calls) await assert.rejects(async () => methods[name]?.({}), expected, name);
      });
    });

    void test("an extension that the server does not serve is answered as 1.4.1 would, with the fine code UNSUPPORTED", async () => {
      const expected = { code: "RPC", rpcCode: "EMPTY_REQUEST", fineCode: "UNSUPPORTED", isRetryable: false };
      const extensions = [...protocol.extensions.keys()];
      assert.ok(extensions.length > 0);
      const refused = async (methods: Methods): Promise<void> => {
        for (const name of extensions) await assert.rejects(async () => methods[name]?.({}), expected, name);
      };
      await withServer(answerTo, refused, []);
      // The handlers of a service, on a server that lets every call through to them.
      await withServer(serve(protocol, {} as Service<Request, Response>).onCall, refused);
    });

    void test("an aborted call ends, the next one works", async () => {
      const held: ServerCall<Request, Response>[] = [];
      const arrived = Promise.withResolvers<void>();
      const onCall = (call: ServerCall<Request, Response>): void => {
        if (held.push(call) > 1) answerTo(call);
        else arrived.resolve();
      };
      await withServer(onCall, async ({ getCheckpoint }) => {
        const abort = new AbortController();
        const call = assert.rejects(async () => getCheckpoint?.({}, { signal: abort.signal }), {
          code: "CALL_ABORTED",
        });
        await arrived.promise;
        abort.abort();
        await call;
        await getCheckpoint?.({});
        held[0]?.finish();
      });
    });
  });
}
