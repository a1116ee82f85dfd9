import type { PeerView } from "../../../client/index.ts";
import { PEER_STATES } from "../../../protocol/http.ts";
import { ROLES } from "../../../protocol/messages.ts";
import { action } from "../../actions.ts";
import { choiceOption } from "../../args.ts";
import { print, printJson } from "../../output.ts";
import { table } from "../../table.ts";
import { controllerOf } from "../../target.ts";

const usage = "list [--state STATE] [--role ROLE]";

/** Lists the peers of the mesh. */
export const list = action({
  usage,
  summary: "list the peers",
  details: [
    ["--state STATE", `only peers in this state (${PEER_STATES.join(", ")})`],
    ["--role ROLE", `only peers with this role (${ROLES.join(", ")})`],
  ],
  options: { state: { type: "string" }, role: { type: "string" } },
  arguments: [],
  run: async (values) => {
    const state = choiceOption("state", values.state, PEER_STATES);
    const role = choiceOption("role", values.role, ROLES);
    const mesh = await controllerOf(values);
    const filter = { ...(state !== undefined && { state }), ...(role !== undefined && { role }) };
    const found: PeerView[] = [];
    for await (const peer of mesh.peers.list(filter)) found.push(peer);
    if (values.json === true) printJson(found);
    else if (found.length === 0) print("no peers");
    else print(table(HEADINGS, found.map(row)));
    if (values.json !== true) for (const peer of found) printCircuits(peer);
    return 0;
  },
});

/** Why a peer rests, and until when. */
function printCircuits({ id, circuits = [] }: PeerView): void {
  for (const { kind, state, reason, rests_until: until } of circuits) {
    const what = kind === null ? id : `${id} at ${kind}`;
    const rest = state === "open" ? `rests until ${until}` : "is probed by one task at a time";
    print(`${what} ${rest}: ${reason}`);
  }
}

const HEADINGS = [
  "id",
  "name",
  "role",
  "state",
  "scheduling",
  "protocol",
  "score",
  "ping ms",
  "tasks",
  "ok",
  "failed",
];

const row = (peer: PeerView): (string | number)[] => [
  peer.id,
  peer.name,
  peer.role,
  peer.state,
  peer.scheduling,
  protocolOf(peer),
  peer.score.toFixed(2),
  peer.ping_ms === null ? "-" : peer.ping_ms.toFixed(1),
  `${peer.tasks}/${peer.slots}`,
  peer.successes,
  peer.failures,
];

/** The protocol of the peer's session, or of its last one. */
const protocolOf = ({ protocol, go_p2p_generation: generation }: PeerView): string =>
  protocol === "go-p2p/1.0" ? `go-p2p ${generation ?? 1}` : (protocol ?? "-");
