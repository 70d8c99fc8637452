export type ServerKind = "core" | "environment";

/**
 * Tells whoever started the process that the server listens: `ready core 127.0.0.1:8001`, a line of its own on stdout.
 * Call it only once connections are accepted.
 */
export function announceReady(server: ServerKind, address: string): void {
  process.stdout.write(`ready ${server} ${address}\n`);
}
