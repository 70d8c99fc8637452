// An expense waits for a decision. Whoever is asked has a day; then the next one is asked. Nothing runs while it waits.
import { step, type, workflow } from "@runtara/sdk";

export interface Expense {
  employee: string;
  cents: number;
  askedInTurn: string[];
}

export interface Decision {
  by: string;
  approved: boolean;
  comment?: string;
}

export const approval = workflow(
  "approval",
  { signals: { decision: type<Decision>() }, published: { waitingFor: type<string>() } },
  async (expense: Expense, ctx) => {
    for (const person of expense.askedInTurn) {
      await step("ask", () => mail(person, `${expense.employee} spent ${expense.cents / 100} EUR. Fine?`), {
        key: person,
      });
      ctx.publish("waitingFor", person);
      const decision = await ctx.waitFor("decision", { timeout: "1d" });
      if (decision !== undefined) {
        await step("tell", () => mail(expense.employee, decision.approved ? "Approved" : "Refused"));
        return { approved: decision.approved, by: decision.by };
      }
    }
    await step("tell", () => mail(expense.employee, "Nobody had time. Ask again."));
    return { approved: false, by: undefined };
  },
);

async function mail(to: string, text: string): Promise<void> {
  console.log(`to ${to}: ${text}`); // your mail service goes here
}
