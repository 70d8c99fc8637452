// An order as a saga: each step that changes something says how to undo it. If a later step fails, or the order is cancelled,
// the undos run newest first, and they are as durable as the steps.
import { FatalError, step, workflow } from "@runtara/sdk";
import { payments, stock, trucks } from "./services.ts";

export interface Order {
  id: string;
  customer: string;
  sku: string;
  pieces: number;
  cents: number;
}

export const order = workflow("order", async (order: Order) => {
  await step("reserve", (s) => stock.take(s.idempotencyKey, order.sku, order.pieces), {
    // The same key for the undo would be another one: an undo is a step of its own. So it names what it undoes.
    compensate: () => stock.putBack(order.id, order.sku, order.pieces),
  });

  const receipt = await step("charge", (s) => payments.charge(s.idempotencyKey, order.customer, order.cents), {
    retry: { attempts: 3, backoff: "10s" },
    compensate: (receipt) => (receipt === undefined ? undefined : payments.refund(receipt)),
  });

  const parcel = await step("ship", () => {
    const place = trucks.find(({ free }) => free >= order.pieces);
    // Trying again would not help.
    if (place === undefined) throw new FatalError(`no truck has room for ${order.pieces} pieces`);
    return `${place.name}/${order.id}`;
  });

  return { receipt, parcel };
});
