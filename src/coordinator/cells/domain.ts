import type { CellCommands } from "../../contract/cells.ts";
import type { Domain } from "../kernel/domain.ts";
import { barPeer } from "./bar-peer.ts";
import { findSubmission } from "./before-submissions.ts";
import { reportDrained } from "./draining.ts";
import { expectPeer } from "./expect-peer.ts";
import { handOver } from "./hand-over.ts";
import { importPeers } from "./import-peers.ts";
import { resumePulls } from "./pulls.ts";
import { messagesTaken, nextMessages, receiveMessages } from "./messages.ts";
import { getTopology, learnTopology } from "./topology.ts";

export const cells: Domain<CellCommands> = {
  handlers: {
    receive_messages: receiveMessages,
    get_topology: getTopology,
    learn_topology: learnTopology,
    next_messages: nextMessages,
    messages_taken: messagesTaken,
    hand_over: handOver,
    find_submission: findSubmission,
    expect_peer: expectPeer,
    import_peers: importPeers,
    bar_peer: barPeer,
  },
  audit: {},
  jobs: [resumePulls, reportDrained],
};
