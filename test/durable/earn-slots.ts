import { evictDurableObject } from "cloudflare:test";
import { coordinatorStub, rows, until } from "./api.ts";

/** Records that a peer's service times have shown that it serves so many tasks at once. The coordinator restarts. */
export async function earnSlots(peerId: string, slots: number): Promise<void> {
  // What the coordinator has not written yet would be lost.
  await until(
    () => rows(`SELECT 1 FROM observed WHERE peer_id = '${peerId}'`),
    (found) => found.length > 0,
  );
  await rows(`UPDATE peers SET earned_slots = ${slots} WHERE id = '${peerId}'`);
  await rows(
    `UPDATE observed SET alone_ratio = 1, alone_weight = 16, loaded_ratio = 1, loaded_held = ${slots}, loaded_weight = 16, peak_held = ${slots}
     WHERE peer_id = '${peerId}'`,
  );
  await evictDurableObject(coordinatorStub());
}
