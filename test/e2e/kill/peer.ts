/** The process of one peer of the kill test: records each execution of a task in its ledger, then executes it. */
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPeer } from "../../../src/client/index.ts";

/** How long an execution takes, from least to most: long enough that kills interrupt some. */
const WORK_MS = [5, 150] as const;

const [url = "", meshKey = "", privateKey = "", ledger = ""] = process.argv.slice(2);
// End with the test.
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
