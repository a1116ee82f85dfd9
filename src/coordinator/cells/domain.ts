import type { CellCommands } from "../../contract/cells.ts";
import type { Domain } from "../kernel/domain.ts";
import { messagesTaken, nextMessages, receiveMessages } from "./messages.ts";
import { getTopology, learnTopology } from "./topology.ts";

export const cells: Domain<CellCommands> = {
  handlers: {
    receive_messages: receiveMessages,
    get_topology: getTopology,
    learn_topology: learnTopology,
    next_messages: nextMessages,
    messages_taken: messagesTaken,
  },
  audit: {},
  jobs: [],
};
