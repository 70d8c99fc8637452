import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createTest, everyCrash } from "@runtara/testkit";
import { type Order, order } from "./order.ts";
import { newDay, payments, stock } from "./services.ts";

const small: Order = { id: "7", customer: "ada", sku: "pen", pieces: 3, cents: 450 };
const huge: Order = { ...small, id: "8", pieces: 90 };

beforeEach(newDay);

test("an order is reserved, paid and shipped", async () => {
  await using rt = await createTest({ workflows: [order] });
  const { parcel } = await rt.run(order, small);
  assert.equal(parcel, "truck-1/7");
  assert.deepEqual([stock.pens, payments.total], [97, 450]);
});

test("what can't be shipped is paid back and put back", async () => {
  await using rt = await createTest({ workflows: [order] });
  const handle = await rt.start(order, huge);
  await assert.rejects(handle.result(), /no truck has room for 90 pieces/);
  assert.deepEqual([stock.pens, payments.total], [100, 0]);
  const ids = (await rt.steps(handle)).map(({ id }) => id);
  assert.deepEqual(ids, ["reserve", "charge", "ship", "charge!undo", "reserve!undo"]);
});

test("a payment service that is down for a while is asked again", async () => {
  await using rt = await createTest({ workflows: [order] });
  let calls = 0;
  rt.fake("charge", () => {
    calls += 1;
    if (calls < 3) throw new Error("503");
    return "receipt";
  });
  const handle = await rt.start(order, small);
  await rt.advance("30s");
  assert.deepEqual([(await handle.result()).receipt, calls], ["receipt", 3]);
});

for (const input of [small, huge]) {
  test(`whatever crashes, order ${input.id} ends in the same way and nothing is done twice`, async () => {
    const { crashes } = await everyCrash(order, input, { reset: newDay });
    assert.ok(crashes > 0);
    assert.equal(payments.total, input === small ? 450 : 0);
    assert.equal(stock.pens, input === small ? 97 : 100);
  });
}
