// What the agent is made of. `think` speaks to a model behind HTTP; the tests bring their own.
export interface Message {
  role: "user" | "model" | "tool";
  text: string;
}

export interface Answer {
  text: string;
  calls: { tool: string; input: string }[];
}

interface Tool {
  isDangerous: boolean;
  run(input: string, idempotencyKey: string): Promise<string>;
}

export async function think(messages: Message[], signal: AbortSignal): Promise<Answer> {
  const body = JSON.stringify({ messages, tools: Object.keys(tools) });
  const response = await fetch(`${process.env.MODEL_URL}/think`, { method: "POST", body, signal });
  if (!response.ok) throw new Error(`the model answered HTTP ${response.status}`);
  return (await response.json()) as Answer;
}

export const sent = new Map<string, string>();

export const tools: Record<string, Tool> = {
  "look-up": { isDangerous: false, run: async (question) => `three customers match ${question}` },
  "send-mail": { isDangerous: true, run: async (to, key) => `sent as number ${sent.set(key, to).size}` },
};
