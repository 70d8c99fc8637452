import { limits } from "./limits.ts";

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/** Keeps the process alive until `release` has been called as often. */
export function hold(): void {
  holders++;
  if (holders > 1) return;
  if (timer === undefined) timer = setInterval(() => {}, limits.timerMsMax);
  else timer.ref();
}

export function release(): void {
  holders--;
  if (holders === 0) timer?.unref();
}
