import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isIPv6 } from "node:net";
import { limits } from "../limits.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Default `text/plain; charset=utf-8`. */
  readonly type?: string;
}

/** What each path answers to GET and HEAD. One that throws is answered 500. */
export type HttpRoutes = Readonly<Record<string, () => HttpAnswer | Promise<HttpAnswer>>>;

export interface HttpServer {
  /** Where it really listens, `ip:port`. */
  readonly address: string;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** A few fixed pages for probes and scrapers; no request has a body. Rejects with the system's error if it can't listen. */
export async function serveHttp(host: string, port: number, routes: HttpRoutes): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: limits.httpHeaderBytesMax,
      headersTimeout: limits.httpRequestMs,
      requestTimeout: limits.httpRequestMs,
      keepAliveTimeout: limits.httpKeepAliveMs,
    },
    (request, response) => {
      request.resume();
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      answer(routes, request.method ?? "", path).then(
        (page) => send(response, page, request.method === "HEAD"),
        () => response.destroy(),
      );
    },
  );
  server.maxConnections = limits.httpConnectionsMax;
  await listening(server, host, port);
  return { address: addressOf(server), close: () => closed(server) };
}

async function answer(routes: HttpRoutes, method: string, path: string): Promise<HttpAnswer> {
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return { status: 404, body: `no such page; there are ${Object.keys(routes).join(", ")}\n` };
  if (method !== "GET" && method !== "HEAD") return { status: 405, body: "only GET and HEAD\n" };
  try {
    return await route();
  } catch {
    return { status: 500, body: "this page could not be made\n" };
  }
}

function send(response: ServerResponse, { status, body, type }: HttpAnswer, isHead: boolean): void {
  response.writeHead(status, {
    "content-type": type ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
  });
  response.end(isHead ? undefined : body);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: a connection that the system cannot hand over later, for want of file descriptors, must not end the process.
    server.on("error", reject);
    server.listen({ host, port }, resolve);
  });
}

function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
