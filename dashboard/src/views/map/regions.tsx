import { count, duration, score } from "../../model/format.ts";
import type { RegionRow } from "../../model/map-peers.ts";
import { hashOf } from "../../model/route.ts";
import { Head } from "../../ui/head.tsx";
import { Panel } from "../../ui/page.tsx";

/** The peers of the map by regions: what the picture shows, as a table. Scores are means, round trips medians. */
export const Regions = ({
  rows,
  query,
}: {
  readonly rows: readonly RegionRow[];
  readonly query: Readonly<Record<string, string>>;
}) => (
  <Panel title="Peers by region">
    <table class="plain">
      <Head texts={["Region"]} figures={["Peers", "Score", "Round trip"]} />
      <tbody>
        {rows.map(({ id, name, peers, score: mean, ping }) => (
          <tr key={id}>
            <th scope="row">
              <a href={hashOf(["map"], { ...query, region: id })}>{name}</a>
            </th>
            <td class="figure">{count(peers.length)}</td>
            <td class="figure">{score(mean)}</td>
            <td class="figure">{duration(ping)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
);
