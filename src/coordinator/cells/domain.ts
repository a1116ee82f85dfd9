import type { CellCommands } from "../../contract/cells.ts";
import type { Domain } from "../kernel/domain.ts";
import { barPeer } from "./bar-peer.ts";
import { findSubmission } from "./before-submissions.ts";
import { reportDrained } from "./draining.ts";
import { expectPeer } from "./expect-peer.ts";
import { handOver } from "./hand-over.ts";
import { importPeers } from "./import-peers.ts";
import { resumePulls } from "./pulls.ts";
import { redeemJoinKey } from "../access/join-keys.ts";
import { knowsDelivery } from "../webhooks/receive-delivery.ts";
import { getFacts, getFactsVersion, learnFacts } from "./facts.ts";
import { messagesTaken, nextMessages, receiveMessages } from "./messages.ts";
import { noteCells, watchCells } from "./watch-cells.ts";
import { getTopology, learnTopology } from "./topology.ts";

export const cells: Domain<CellCommands> = {
  handlers: {
    receive_messages: receiveMessages,
    get_topology: getTopology,
    get_facts: getFacts,
    get_facts_version: getFactsVersion,
    knows_delivery: knowsDelivery,
    redeem_join_key: redeemJoinKey,
    learn_topology: learnTopology,
    learn_facts: learnFacts,
    next_messages: nextMessages,
    messages_taken: messagesTaken,
    note_cells: noteCells,
    hand_over: handOver,
    find_submission: findSubmission,
    expect_peer: expectPeer,
    import_peers: importPeers,
    bar_peer: barPeer,
  },
  audit: {},
  jobs: [resumePulls, reportDrained, watchCells],
};
