import { count, duration, score } from "../../model/format.ts";
import type { RegionRow } from "../../model/map-peers.ts";
import { hashOf } from "../../model/route.ts";
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
      <thead>
        <tr>
          <th scope="col">Region</th>
          <th scope="col" class="figure">
            Peers
          </th>
          <th scope="col" class="figure">
            Score
          </th>
          <th scope="col" class="figure">
            Round trip
          </th>
        </tr>
      </thead>
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
