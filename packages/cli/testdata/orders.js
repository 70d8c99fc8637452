import { sleep, step, workflow } from "@runtara/sdk";
/** Sleeps between two steps; RENAMED calls the second one by another name. */
export const order = workflow("order", async (total) => {
    const receipt = await step(process.env.RENAMED === "1" ? "charge-card" : "charge", () => `paid ${total}`);
    await sleep("a while", "1h");
    await step("ship", () => "shipped");
    return receipt;
});
export const other = workflow("other", async () => step("nothing", () => undefined));
//# sourceMappingURL=orders.js.map