import type { PeerView } from "../../../../src/protocol/http.ts";
import { counted, duration, score } from "../../model/format.ts";
import { Head } from "../../ui/head.tsx";
import { Panel } from "../../ui/page.tsx";
import { State } from "../../ui/state.tsx";
import { conditionOf } from "../../model/peer-table.ts";
import { PeerLink } from "../peers/columns.tsx";

const SHOWN_MAX = 100;

/** Some peers by their names. */
export const PeerGroup = ({
  title,
  peers,
}: {
  readonly title: string;
  readonly peers: readonly PeerView[];
}) => (
  <Panel title={title} aside={<a href="#/peers">All peers</a>}>
    <table class="plain">
      <Head texts={["Peer", "State"]} figures={["Score", "Round trip"]} />
      <tbody>
        {peers.slice(0, SHOWN_MAX).map((peer) => (
          <tr key={peer.id}>
            <th scope="row">
              <PeerLink id={peer.id} name={peer.name} />
            </th>
            <td>
              <State of={conditionOf(peer)} />
            </td>
            <td class="figure">{score(peer.score)}</td>
            <td class="figure">{duration(peer.ping_ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
    {peers.length > SHOWN_MAX && (
      <p class="quiet">And {counted(peers.length - SHOWN_MAX, "more peer", "more peers")}.</p>
    )}
  </Panel>
);
