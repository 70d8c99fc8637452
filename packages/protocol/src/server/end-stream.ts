import type { TransportStream } from "../transport/port.ts";

/** The last frame, if there is one, and the end of a stream. A client that has gone is nobody's fault. */
export function endStream(stream: TransportStream, frame: Uint8Array | undefined): void {
  const written = frame === undefined ? Promise.resolve() : stream.write(frame);
  written.then(() => stream.finish()).catch(() => {});
  stream.stop(0);
}
