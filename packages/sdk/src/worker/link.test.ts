import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { create, type ErrorDetails, generateCertificate, instance, QuicServer } from "@runtara/protocol";
import { isRuntaraError } from "../errors.ts";
import { InstanceCalls } from "../wire/calls.ts";
import type { ServerAccess } from "../wire/server-access.ts";
import { Link } from "./link.ts";

function linkTo(t: TestContext, server: string, access: ServerAccess): Link {
  const servers = [server] as const;
  const settings = { servers, serverName: "localhost", access, connectTimeoutMs: 10_000, requestTimeoutMs: 30_000 };
  const link = new Link(settings, () => {});
  t.after(() => link.close());
  return link;
}

test("a core that has too much to do or shuts down is asked again; any other refusal counts", async (t) => {
  const refusals: ErrorDetails[] = [
    { fineCode: "OVERLOADED", retryable: true },
    { fineCode: "DRAINING", retryable: true },
    { fineCode: "DEADLINE_EXCEEDED", retryable: true },
  ];
  const left = [...refusals, undefined, { fineCode: "DATABASE_ERROR", retryable: true } as const];
  const server = await QuicServer.listen({
    onCall(call) {
      const details = left.shift();
      if (details === undefined) call.respond(create(instance.GetInstanceStatusResponseSchema, { status: 2 }));
      else call.respondError("GET_INSTANCE_STATUS_ERROR", "later", details);
    },
  });
  t.after(() => server.close());
  const link = linkTo(t, server.address, { caPem: server.certificatePem });
  await link.connect();
  assert.equal(
    (await link.persist((connection) => new InstanceCalls("i", () => connection).status())).status,
    "running",
  );
  await assert.rejects(
    link.persist((connection) => new InstanceCalls("i", () => connection).status()),
    { code: "RPC", fineCode: "DATABASE_ERROR" },
  );
});

test("what is wrong with a certificate has its code and a remedy in terms of the environment", async (t) => {
  const authority = generateCertificate({ names: ["Test authority"], usage: "ca", days: 1 });
  const certificate = generateCertificate({ names: ["core.example"], usage: "server", issuer: authority, days: 1 });
  const server = await QuicServer.listen({
    certificate,
    clientCaPem: authority.certPem,
    onCall: (call) => call.finish(),
  });
  t.after(() => server.close());
  const cases: [ServerAccess, RegExp][] = [
    [{ caPem: authority.certPem }, /\(TLS_NAME_MISMATCH\).*core\.example.*RUNTARA_SERVER_NAME/],
    [
      { dangerouslySkipVerification: true },
      /\(TLS_CLIENT_CERTIFICATE_REQUIRED\).*RUNTARA_CERT_FILE and RUNTARA_KEY_FILE/,
    ],
    [{ serverFingerprint: "0".repeat(64) }, /\(TLS_CERTIFICATE_UNKNOWN\).*RUNTARA_SERVER_FINGERPRINT/],
  ];
  for (const [access, text] of cases) {
    await assert.rejects(
      linkTo(t, server.address, access).connect(),
      (error: Error) => isRuntaraError(error, "CONNECTION") && text.test(error.message),
    );
  }
});
