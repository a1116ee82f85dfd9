import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { peerMovesTable } from "../../src/registry/peer-moves.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import { nodeSql } from "../node-sql.ts";

const PEERS = ["a", "b", "c"].map((digit) => digit.repeat(32));
const NOW = 1_795_348_800_000;

/** Everything that commands about peers ask for. */
const askedOf = (moves: ReturnType<typeof peerMovesTable>) => ({
  departed: PEERS.map((id) => moves.departed(id)),
  sources: PEERS.map((id) => moves.sourcesOf(id, NOW)),
  pulls: moves.pulls(),
  pull: [0, 1].map((cell) => moves.pull(cell)),
});

const Act = fc.record({
  act: fc.constantFrom("depart", "confirm", "add source", "prune", "set pull", "read"),
  peer: fc.nat(2),
  isDone: fc.boolean(),
});

describe("moves of peers", () => {
  it("CE171 are known in memory as the database has them, whatever is written and rolled back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ acts: fc.array(Act, { maxLength: 5 }), fails: fc.boolean() })),
        (groups) => {
          const sql = nodeSql();
          const registry = openRegistry(sql);
          const { peerMoves } = registry;
          for (const { acts, fails } of groups) {
            const run = () =>
              registry.transaction(() => {
                for (const { act, peer, isDone } of acts) {
                  const peerId = PEERS[peer] as string;
                  const token = `token ${peer}`;
                  if (act === "depart") peerMoves.depart({ peerId, token, cell: 1, rows: {} });
                  else if (act === "confirm") peerMoves.confirm(token);
                  else if (act === "add source") peerMoves.addSource(peerId, 1, NOW + peer);
                  else if (act === "prune") peerMoves.pruneSources(NOW + peer);
                  else if (act === "set pull") peerMoves.setPull({ ...PULL, cell: peer, isDone });
                  else askedOf(peerMoves);
                }
                if (fails) throw new Error("undone");
              });
            if (fails) expect(run).toThrow("undone");
            else run();
            expect(askedOf(peerMoves)).toEqual(askedOf(peerMovesTable(sql)));
          }
        },
      ),
    );
  });

  it("CE171 cost no statement while nothing has departed", () => {
    const sql = nodeSql();
    openRegistry(sql);
    const queries: string[] = [];
    const counted: Sql = {
      ...sql,
      exec: (query, ...bindings) => {
        queries.push(query);
        return sql.exec(query, ...bindings);
      },
    };
    const moves = peerMovesTable(counted);
    moves.setPull(PULL);
    askedOf(moves);
    queries.length = 0;
    for (let times = 0; times < 10; times++) askedOf(moves);
    expect(queries).toEqual([]);
  });
});

const PULL = { cell: 1, version: 2, after: null, left: 0, isDone: true, leftBefore: null } as const;
