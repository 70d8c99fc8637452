import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  type CertificatePair,
  type ConnectOptions,
  certificateFingerprint,
  generateCertificate,
  QuicError,
  type QuicErrorCode,
} from "@runtara/quic";
import { http2Transport } from "./http2/transport.ts";
import type { DialOptions, Transport, TransportListener } from "./port.ts";
import { quicTransport } from "./quic.ts";

// Whom a client trusts, and whom a server lets in, must not depend on the way that is taken.

const ca = generateCertificate({ names: ["authority"], usage: "ca", days: 2 });
const signed = (names: string[], usage: "server" | "client", notAfter?: Date): CertificatePair =>
  generateCertificate({ names, usage, issuer: ca, days: 2, ...(notAfter ? { notAfter } : {}) });
const past = new Date(Date.now() - 60_000);
const stranger = generateCertificate({ names: ["stranger"], usage: "ca", days: 2 });

const servers = {
  good: signed(["localhost", "127.0.0.1"], "server"),
  "of another name": signed(["other.example"], "server"),
  expired: signed(["localhost"], "server", past),
  "of an unknown authority": generateCertificate({ names: ["localhost"], usage: "server", issuer: stranger, days: 2 }),
  "self-signed": generateCertificate({ names: ["localhost"], usage: "server", days: 2 }),
  "for clients": signed(["localhost"], "client"),
} as const;
type ServerName = keyof typeof servers;

const modes = {
  skip: () => "skip",
  roots: () => "roots",
  system: () => "system",
  "the authority": () => ({ caPem: ca.certPem }),
  "its own certificate": (shown) => ({ caPem: shown.certPem }),
  "its fingerprint": (shown) => ({ fingerprint: certificateFingerprint(shown.certPem) }),
  "the fingerprint of the good one": () => ({ fingerprint: certificateFingerprint(servers.good.certPem) }),
} satisfies Record<string, (shown: CertificatePair) => ConnectOptions["verify"]>;
type Mode = keyof typeof modes;

const ok = "ok";
const name = "TLS_NAME_MISMATCH";
const late = "TLS_CERTIFICATE_EXPIRED";
const unknown = "TLS_CERTIFICATE_UNKNOWN";
const other = "TLS_FAILED";
type Outcome = typeof ok | QuicErrorCode;

const order = Object.keys(servers) as ServerName[];
/** Undefined: two things are wrong at once, and either may be told. */
const table: Partial<Record<Mode, readonly (Outcome | undefined)[]>> = {
  //                                  good     name     expired  authority self     usage
  skip: /*                        */ [ok, ok, ok, ok, ok, ok],
  roots: /*                       */ [unknown, undefined, undefined, unknown, unknown, undefined],
  system: /*                      */ [ok, name, late, unknown, unknown, other],
  "the authority": /*             */ [ok, name, late, unknown, unknown, other],
  "its fingerprint": /*           */ [ok, ok, ok, ok, ok, ok],
  "the fingerprint of the good one": [ok, unknown, unknown, unknown, unknown, unknown],
};

const folder = mkdtempSync(join(tmpdir(), "runtara-tls-"));
writeFileSync(join(folder, "roots.pem"), ca.certPem);
process.env.SSL_CERT_FILE = join(folder, "roots.pem");
mkdirSync(join(folder, "more"));
writeFileSync(join(folder, "more", "README"), "no certificate");
process.env.SSL_CERT_DIR = join(folder, "more");
after(() => rmSync(folder, { recursive: true }));

async function outcome(transport: Transport, options: Partial<DialOptions> & { port: number }): Promise<Outcome> {
  const base = { host: "127.0.0.1", serverName: "localhost", verify: "skip", connectTimeoutMs: 20_000 } as const;
  try {
    const connection = await transport.dial({ ...base, ...options });
    await connection.close();
    return ok;
  } catch (error) {
    assert.ok(error instanceof QuicError, String(error));
    return error.code;
  }
}

function listen(transport: Transport, certificate: CertificatePair, clientCaPem?: string): Promise<TransportListener> {
  const asking = clientCaPem === undefined ? {} : { clientCaPem };
  const options = { host: "127.0.0.1", port: 0, certificate, ...asking };
  return transport.listen(options, { onCall: (call) => call.finish() });
}

for (const transport of [quicTransport, http2Transport]) {
  void describe(`TLS over ${transport.name}`, () => {
    for (const [mode, outcomes] of Object.entries(table) as [Mode, readonly (Outcome | undefined)[]][]) {
      test(`a client that trusts ${mode}`, async () => {
        for (const [index, server] of order.entries()) {
          const expected = outcomes[index];
          if (expected === undefined) continue;
          const shown = servers[server];
          const listener = await listen(transport, shown);
          const got = await outcome(transport, { port: listener.port, verify: modes[mode](shown) });
          await listener.close();
          assert.equal(got, expected, `the server's certificate is ${server}`);
        }
      });
    }

    test("a certificate is its own authority if it has signed itself; names may be addresses", async () => {
      const self = servers["self-signed"];
      const listener = await listen(transport, self);
      const { port } = listener;
      assert.equal(await outcome(transport, { port, verify: { caPem: self.certPem } }), ok);
      assert.equal(await outcome(transport, { port, verify: { caPem: self.certPem }, serverName: "127.0.0.1" }), name);
      await listener.close();
      const good = await listen(transport, servers.good);
      const verify = { caPem: ca.certPem };
      assert.equal(await outcome(transport, { port: good.port, verify, serverName: "127.0.0.1" }), ok);
      assert.equal(await outcome(transport, { port: good.port, verify, serverName: "::1" }), name);
      await good.close();
    });

    test("a server that asks for a certificate", async () => {
      const listener = await listen(transport, servers.good, ca.certPem);
      const { port } = listener;
      const clients: [CertificatePair | undefined, Outcome][] = [
        [signed(["worker"], "client"), ok],
        [undefined, "TLS_CLIENT_CERTIFICATE_REQUIRED"],
        [signed(["worker"], "client", past), late],
        [generateCertificate({ names: ["worker"], usage: "client", issuer: stranger, days: 2 }), unknown],
        [generateCertificate({ names: ["worker"], usage: "client", days: 2 }), unknown],
        [servers.good, other],
      ];
      for (const [index, [certificate, expected]] of clients.entries()) {
        const got = await outcome(transport, { port, ...(certificate ? { certificate } : {}) });
        assert.equal(got, expected, `client ${index}`);
      }
      assert.equal(listener.stats().connections, 0);
      await listener.close();
    });

    test("options that cannot be used", async () => {
      const listener = await listen(transport, servers.good);
      const { port } = listener;
      for (const serverName of ["", "two words", "-"]) {
        assert.equal(await outcome(transport, { port, serverName }), "SERVER_NAME_INVALID", serverName);
      }
      const unusable: Partial<DialOptions>[] = [
        { verify: { caPem: "no PEM" } },
        { verify: { fingerprint: "00" } },
        { certificate: { certPem: servers.good.certPem, keyPem: ca.keyPem } },
        { certificate: { certPem: "no PEM", keyPem: "no PEM" } },
      ];
      for (const [index, options] of unusable.entries()) {
        assert.equal(await outcome(transport, { port, ...options }), "CERTIFICATE_INVALID", `options ${index}`);
      }
      await listener.close();
      const pairs = [
        { certPem: "", keyPem: servers.good.keyPem },
        { certPem: servers.good.certPem, keyPem: "" },
        { certPem: servers.good.certPem, keyPem: ca.keyPem },
      ];
      for (const pair of pairs) await assert.rejects(listen(transport, pair), { code: "CERTIFICATE_INVALID" });
      await assert.rejects(listen(transport, servers.good, "no PEM"), { code: "CERTIFICATE_INVALID" });
    });

    test("a certificate is exchanged while listening; a bad one changes nothing", async () => {
      const listener = await listen(transport, servers.expired);
      const verify = { caPem: ca.certPem };
      assert.equal(await outcome(transport, { port: listener.port, verify }), late);
      assert.throws(() => listener.setCertificate({ ...servers.good, keyPem: ca.keyPem }), {
        code: "CERTIFICATE_INVALID",
      });
      assert.equal(listener.certificatePem, servers.expired.certPem);
      listener.setCertificate(servers.good);
      assert.equal(listener.certificatePem, servers.good.certPem);
      assert.equal(await outcome(transport, { port: listener.port, verify }), ok);
      await listener.close();
    });

    test("nobody answers: CONNECT_TIMEOUT", async () => {
      // Both kinds of socket, so that the same port is silent over either transport.
      const tcp = createServer(() => {}).listen(0, "127.0.0.1");
      await once(tcp, "listening");
      const address = tcp.address();
      assert.ok(address !== null && typeof address === "object");
      const udp = createSocket("udp4").bind(address.port, "127.0.0.1");
      await once(udp, "listening");
      assert.equal(await outcome(transport, { port: address.port, connectTimeoutMs: 50 }), "CONNECT_TIMEOUT");
      const abort = new AbortController();
      const aborted = outcome(transport, { port: address.port, signal: abort.signal });
      abort.abort();
      assert.equal(await aborted, "CALL_ABORTED");
      assert.equal(await outcome(transport, { port: address.port, signal: abort.signal }), "CALL_ABORTED");
      udp.close();
      tcp.close();
    });
  });
}
