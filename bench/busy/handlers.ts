import type { Handlers } from "../../src/client/index.ts";

/** Handlers that never yield. */
export const handlers: Handlers = {
  compute: (ms) => {
    const until = performance.now() + Number(ms);
    let rounds = 0;
    while (performance.now() < until) rounds++;
    return rounds;
  },
  loop: () => {
    for (;;);
  },
  echo: (payload) => payload,
};
