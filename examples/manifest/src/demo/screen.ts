// What the demo shows: a live bar on a terminal, plain lines elsewhere, and a table at the end.
import { styleText } from "node:util";
import Table from "cli-table3";
import type { Milestone, Outcome } from "./scenario.ts";

export interface Progress {
  done: number;
  total: number;
  stepsPerSecond: number;
  kills: number;
}

export interface Screen {
  milestone(milestone: Milestone): void;
  progress(progress: Progress): void;
  close(): void;
}

export function openScreen(out: NodeJS.WriteStream, json: boolean): Screen {
  if (json) return { milestone: () => {}, progress: () => {}, close: () => {} };
  const live = out.isTTY === true;
  let bar = "";
  let lastPercent = -1;
  const draw = () => out.write(`\r\x1b[K${bar}`);
  return {
    milestone(milestone) {
      out.write(`${live ? "\r\x1b[K" : ""}${milestoneLine(milestone)}\n`);
      if (live) draw();
    },
    progress(progress) {
      bar = progressLine(progress);
      if (live) draw();
      else {
        // A log gets a line for each tenth of the way.
        const percent = Math.floor((10 * progress.done) / Math.max(1, progress.total));
        if (percent !== lastPercent) out.write(`${bar}\n`);
        lastPercent = percent;
      }
    },
    close() {
      if (live) out.write("\r\x1b[K");
    },
  };
}

function progressLine({ done, total, stepsPerSecond, kills }: Progress): string {
  const width = 32;
  const full = total === 0 ? 0 : Math.floor((width * done) / total);
  const bar = "█".repeat(full) + "░".repeat(width - full);
  return `  ${bar} ${done}/${total} steps  ${Math.round(stepsPerSecond).toLocaleString("en")} steps/s  ${kills} killed`;
}

function milestoneLine({ atMs, what, detail }: Milestone): string {
  const colour = what.startsWith("SIGKILL") ? "red" : "green";
  return `${seconds(atMs)}  ${styleText(colour, what)}${detail ? `  ${detail}` : ""}`;
}

export function summary(outcome: Outcome): string {
  const timeline = new Table({ head: ["second", "what happened", ""], style: { head: [], border: [], compact: true } });
  for (const { atMs, what, detail } of outcome.timeline) timeline.push([seconds(atMs).trim(), what, detail]);
  const verdicts = outcome.promises.map(
    ({ promise, kept, detail }) =>
      `${kept ? styleText("green", "✔ kept  ") : styleText("red", "✘ BROKEN")}  ${promise}: ${detail}`,
  );
  return `${timeline.toString()}\n\n${verdicts.join("\n")}\n`;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2).padStart(7)}`;
