import { create, instance, QuicServer } from "@runtara/protocol";
import { onEnd } from "./node/lifetime.ts";

const noBytes = new Uint8Array();
const savedAsNew = create(instance.CheckpointResponseSchema, { found: false });

/** Listens on `bindAddr` ("ip:port", port 0 takes a free one) until it is told to stop; a bad or taken address ends the process with one line. */
export async function runEchoServer(bindAddr: string): Promise<void> {
  const server = await listen(bindAddr).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  process.stdout.write(`ready echo ${server.address}\n`);
  onEnd(() => void server.close());
}

function listen(bindAddr: string): Promise<QuicServer> {
  return QuicServer.listen({
    bindAddr,
    http2: true,
    onCall(call) {
      const { request } = call;
      if (request.case === "checkpoint") {
        call.respond(savedAsNew);
        return;
      }
      if (request.case === "registerInstance") {
        call.respond(create(instance.RegisterInstanceResponseSchema, { success: true }));
        return;
      }
      if (request.case !== "pollSignals") {
        call.respondError("UNSUPPORTED", "this server answers RegisterInstance, Checkpoint and PollSignals only");
        return;
      }
      const signalType = instance.SignalType.SIGNAL_CANCEL;
      call.respond({
        $typeName: "runtara.instance.PollSignalsResponse",
        signal: {
          $typeName: "runtara.instance.Signal",
          instanceId: request.value.instanceId,
          signalType,
          payload: noBytes,
        },
      });
    },
  });
}
