import type { Millis } from "../base/clock.ts";
import { cellMessagesTable } from "./cell-messages.ts";
import { peerMovesTable } from "./peer-moves.ts";
import { remotePeersTable } from "./remote-peers.ts";
import { SilentCells } from "./silent-cells.ts";
import { reportedPeersTable } from "./reported-peers.ts";
import type { Sql } from "./sql.ts";
import type { TableName } from "./table-changes.ts";

/** What cells say to each other, the peers that move between them, and what they report of their peers to cell 0: as it is there, and as the reporting cell remembers it. */
export const cellTables = (sql: Sql, on: (table: TableName) => Sql, restoredAt: Millis | null) => ({
  cellMessages: cellMessagesTable(on("cellMessages"), restoredAt),
  remotePeers: remotePeersTable(sql),
  peerMoves: peerMovesTable(on("peerMoves")),
  silentCells: new SilentCells(sql),
  reportedPeers: reportedPeersTable(on("reportedPeers")),
});
