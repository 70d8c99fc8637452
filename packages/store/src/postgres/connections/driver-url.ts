/** How the connection is protected, in libpq's words. */
export type Protection = "as given" | "plain";

/**
 * The URL in the words of the driver, with the meaning that libpq gives it: `sslmode=require` encrypts without looking at the certificate, and no
 * `sslmode` at all is `prefer`, except on Unix sockets, which know no TLS. `plain`: the server has none, and the URL is content with that.
 */
export function driverUrl(url: string, protection: Protection): string {
  const [address = "", query = ""] = url.split("?");
  const options = new URLSearchParams(query);
  if (onSocket(address, options)) options.delete("sslmode");
  else if (protection === "plain") options.set("sslmode", "disable");
  else if (prefers(options.get("sslmode"))) options.set("sslmode", "prefer");
  if (options.has("sslmode") && !options.has("uselibpqcompat")) options.set("uselibpqcompat", "true");
  return options.size === 0 ? address : `${address}?${options}`;
}

/** Whether the URL is content with a server that has no TLS. */
export function mayBePlain(url: string): boolean {
  return prefers(new URLSearchParams(url.split("?")[1]).get("sslmode"));
}

function prefers(mode: string | null): boolean {
  return mode === null || mode === "prefer" || mode === "allow";
}

function onSocket(address: string, options: URLSearchParams): boolean {
  return options.get("host")?.startsWith("/") ?? /@%2f/i.test(address);
}
