import type { PeerView } from "../../../../src/protocol/http.ts";
import { count, duration, line, number } from "../../model/format.ts";
import { CopiedText } from "../../ui/copied-text.tsx";
import { Facts, Tags } from "../../ui/facts.tsx";
import { Panel } from "../../ui/page.tsx";
import { Ago } from "../../ui/time.tsx";

export const PeerFacts = ({ peer }: { readonly peer: PeerView }) => {
  const { kinds, capabilities, told_by: teller } = peer;
  return (
    <Panel title="Peer">
      <Facts
        facts={[
          ["Session", peer.connected ? `connected, ${protocolOf(peer)}` : "not connected"],
          ["Last seen", <Ago key="seen" at={peer.last_seen} />],
          ["Known since", <Ago key="added" at={peer.added_at} />],
          ["Address", peer.address === "" ? null : line(peer.address)],
          [
            "Scheduling",
            peer.scheduled_by === null ? null : `${peer.scheduling} by the ${peer.scheduled_by}`,
          ],
          ["Tasks", `${count(peer.tasks)} of ${count(peer.slots)} slots`],
          ["Done", `${count(peer.successes)} succeeded, ${count(peer.failures)} failed`],
          ["Kinds", kinds.includes("*") ? "every kind" : <Tags key="kinds" of={kinds.map(line)} />],
          [
            "Labels",
            capabilities.length === 0 ? null : <Tags key="labels" of={capabilities.map(line)} />,
          ],
          ["Round trip", peer.ping_ms === null ? null : duration(peer.ping_ms)],
          ["Hops", peer.hops === null ? null : number(peer.hops)],
          ["Distance", peer.geo_km === null ? null : `${number(peer.geo_km)} km`],
          [
            "Advertised by",
            teller === undefined ? null : (
              <a key="teller" href={`#/peers/${teller.peer_id}`} class="mono">
                {teller.peer_id}
              </a>
            ),
          ],
          ["Public key", <CopiedText key="key" text={peer.public_key} label="the public key" />],
        ]}
      />
    </Panel>
  );
};

function protocolOf({ protocol, go_p2p_generation: generation }: PeerView): string {
  if (protocol === null) return "unknown protocol";
  return generation === null ? protocol : `${protocol}, generation ${generation}`;
}
