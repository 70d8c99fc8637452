// The platforms that releases bring a built addon for, each as a package of its own: the one table of them.

export interface AddonPlatform {
  /** As in `@runtara/quic-linux-x64-gnu`, and the folder below npm/. */
  readonly id: string;
  readonly os: "linux" | "darwin" | "win32";
  readonly cpu: "x64" | "arm64";
  /** The C library; only Linux has two. */
  readonly libc?: "glibc" | "musl";
  readonly rustTarget: string;
}

export const addonPlatforms: readonly AddonPlatform[] = [
  { id: "linux-x64-gnu", os: "linux", cpu: "x64", libc: "glibc", rustTarget: "x86_64-unknown-linux-gnu" },
  { id: "linux-arm64-gnu", os: "linux", cpu: "arm64", libc: "glibc", rustTarget: "aarch64-unknown-linux-gnu" },
  { id: "linux-x64-musl", os: "linux", cpu: "x64", libc: "musl", rustTarget: "x86_64-unknown-linux-musl" },
  { id: "linux-arm64-musl", os: "linux", cpu: "arm64", libc: "musl", rustTarget: "aarch64-unknown-linux-musl" },
  { id: "darwin-x64", os: "darwin", cpu: "x64", rustTarget: "x86_64-apple-darwin" },
  { id: "darwin-arm64", os: "darwin", cpu: "arm64", rustTarget: "aarch64-apple-darwin" },
  { id: "win32-x64-msvc", os: "win32", cpu: "x64", rustTarget: "x86_64-pc-windows-msvc" },
];

/** The machine that a process runs on, in Node's words. */
export interface Host {
  readonly os: string;
  readonly cpu: string;
  /** Linux only. */
  readonly libc?: "glibc" | "musl";
}

/** The package that has the addon for a machine; undefined if releases bring none for it. */
export function addonPackage(host: Host): string | undefined {
  const platform = addonPlatforms.find(({ os, cpu, libc }) => os === host.os && cpu === host.cpu && libc === host.libc);
  return platform && packageName(platform);
}

/** The packages of an operating system and processor, of either C library. */
export function addonPackagesOf(os: string, cpu: string): string[] {
  return addonPlatforms.filter((platform) => platform.os === os && platform.cpu === cpu).map(packageName);
}

export function packageName(platform: AddonPlatform): string {
  return `@runtara/quic-${platform.id}`;
}

/** Node's diagnostic report names the glibc that the process runs on; built on musl, Node has none to name. */
export function libcOf(header: { readonly glibcVersionRuntime?: string } = {}): "glibc" | "musl" {
  return header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

/** The part of process.report that is used here; @types/node does not know all of it. */
interface ProcessReport {
  excludeNetwork?: boolean | undefined;
  getReport(): { header?: { glibcVersionRuntime?: string } };
}

/** This process's machine. Takes some milliseconds on Linux, as Node then writes a whole report. */
export function thisHost(): Host {
  const host = { os: process.platform, cpu: process.arch };
  if (host.os !== "linux") return host;
  const report: ProcessReport = process.report;
  const { excludeNetwork } = report;
  try {
    report.excludeNetwork = true; // the report would list sockets, and ask the DNS for their names
    return { ...host, libc: libcOf(report.getReport().header) };
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}
