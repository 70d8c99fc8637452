// An AI agent: the model thinks, tools act, a person approves what can't be taken back. Each answer of the model and each tool's result is a
// step, so a crash never pays for a thought twice. `model.ts` has the model and the tools.
import { step, type, workflow } from "@runtara/sdk";
import { type Message, think, tools } from "./model.ts";

export interface Task {
  goal: string;
  turnsMax: number;
}

export const agent = workflow(
  "agent",
  {
    signals: { approval: type<{ allowed: boolean; comment?: string }>() },
    published: { transcript: type<Message[]>(), asksFor: type<string>() },
  },
  async ({ goal, turnsMax }: Task, ctx) => {
    const messages: Message[] = [{ role: "user", text: goal }];
    for (let turn = 0; turn < turnsMax; turn++) {
      const answer = await step("think", (s) => think(messages, s.signal), { timeout: "2m" });
      messages.push({ role: "model", text: answer.text });
      ctx.publish("transcript", messages);
      if (answer.calls.length === 0) return { text: answer.text, turns: turn + 1 };

      // Tools that only read run at once; their results come in the order of the calls.
      const results = await Promise.all(answer.calls.map((call) => use(call.tool, call.input)));
      for (const [index, text] of results.entries())
        messages.push({ role: "tool", text: `${answer.calls[index]?.tool}: ${text}` });
    }
    throw new Error(`no answer after ${turnsMax} turns`);

    async function use(name: string, input: string): Promise<string> {
      const tool = tools[name];
      if (tool === undefined) return "there is no such tool";
      if (tool.isDangerous) {
        ctx.publish("asksFor", `${name} ${input}`);
        const approval = await ctx.waitFor("approval", { timeout: "2d" });
        if (approval?.allowed !== true)
          return `not allowed${approval?.comment === undefined ? "" : `: ${approval.comment}`}`;
      }
      return step(name, (s) => tool.run(input, s.idempotencyKey));
    }
  },
);
