/** The process of one peer of the kill test: does tasks, and writes down each beginning before it begins. */
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer } from "../../../src/client/index.ts";

/** Work takes some time, so that a kill finds it under way. */
const WORK_MS = [5, 150] as const;

const [url = "", meshKey = "", privateKey = "", ledger = ""] = process.argv.slice(2);
// Without the test there is nothing to live for.
process.on("disconnect", () => process.exit(1));

const peer = connectPeer({
  url,
  meshKey,
  privateKey,
  slots: 2,
  handlers: {
    count: async (payload, { taskId, signal }) => {
      const nonce = randomUUID();
      appendFileSync(ledger, `${taskId} ${nonce}\n`);
      const [least, most] = WORK_MS;
      await sleep(least + Math.random() * (most - least), undefined, { signal });
      return { payload, nonce };
    },
  },
});
await peer.closed;
