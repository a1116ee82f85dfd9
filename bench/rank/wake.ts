import { openRegistry } from "../../src/registry/registry.ts";
import { aPeer } from "../../test/contracts/records.ts";
import { nodeSql } from "../../test/node-sql.ts";
import type { Fleet } from "./fleet.ts";
import { cpuMs } from "./measure.ts";

/** Milliseconds of CPU time until a coordinator that wakes with this fleet connected knows the peers with a free slot. */
export function wakeMs({ ids, traits, scores, room }: Fleet): number {
  const sql = nodeSql();
  const before = openRegistry(sql);
  before.transaction(() => {
    for (const [n, { role, kinds, capabilities, fresh }] of traits.entries())
      before.peers.put(
        aPeer({
          id: ids[n] as string,
          role,
          kinds,
          capabilities,
          slots: 4,
          held: room[n] === 1 ? 0 : 5,
          successes: fresh ? 0 : 50,
          score: scores[n] as number,
        }),
      );
  });
  const began = cpuMs();
  const { roster } = openRegistry(sql);
  const any = roster.anyFree();
  const took = cpuMs() - began;
  if (!any) throw new Error("no peer has a free slot");
  return took;
}
