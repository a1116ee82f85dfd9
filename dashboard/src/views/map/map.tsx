import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { MapView } from "../../../../src/protocol/http.ts";
import type { RecentTasks } from "../../live/mesh-data.ts";
import { clock } from "../../live/clock.ts";
import { goTo, place, setQuery } from "../../live/place.ts";
import { useLive } from "../../live/use-live.ts";
import { count, counted, line, score, shortId } from "../../model/format.ts";
import { LINE_MS, mapPeers, regionRows, taskLines, type MapPeer } from "../../model/map-peers.ts";
import { spotAt, type Spot } from "../../model/map-spots.ts";
import { MAP_RATIO, type Point } from "../../model/world-map.ts";
import { Select } from "../../ui/field.tsx";
import { Loading, Page, Panel } from "../../ui/page.tsx";
import { Picture } from "../../ui/picture.tsx";
import { useData } from "../data.ts";
import { drawLatency } from "./latency.ts";
import { PeerGroup } from "./peer-group.tsx";
import { Regions } from "./regions.tsx";
import { drawWorld } from "./world.ts";

const PICTURES = [
  ["world", "Places"],
  ["latency", "Round trips"],
] as const;

/** Where the connected peers are, and to which of them tasks go. */
export const MeshMap = () => {
  const { mesh } = useData();
  const map = useLive(mesh.map);
  const peers = useLive(mesh.peers);
  const recent = useLive(mesh.recent);
  const shown = useMemo(
    () => (map.value === null || peers.value === null ? [] : mapPeers(map.value, peers.value)),
    [map.value, peers.value],
  );
  const { as = "", region = "" } = place.value.query;
  if (map.value === null || peers.value === null || recent.value === null)
    return (
      <Page title="Map">
        <Loading error={map.error ?? peers.error ?? recent.error} />
      </Page>
    );

  const located = shown.filter(({ location }) => location !== undefined).length;
  const kind = PICTURES.find(([each]) => each === as)?.[0] ?? (located > 0 ? "world" : "latency");
  const regions = regionRows(shown);
  const chosen = regions.find(({ id }) => id === region);
  return (
    <Page
      title="Map"
      about={`${counted(shown.length, "peer")} connected, ${count(located)} with a known place`}
      actions={
        <Select
          label="Picture"
          value={kind}
          options={PICTURES}
          onChange={(next) => setQuery({ as: next })}
        />
      }
    >
      {map.error !== null && <p class="error">{map.error}</p>}
      {map.value.truncated && (
        <p class="quiet">
          The mesh has more peers: the first {shown.length} by their IDs are shown.
        </p>
      )}
      <PeersPicture
        key={kind}
        kind={kind}
        peers={shown}
        mesh={map.value.mesh.location}
        recent={recent.value}
      />
      <Regions rows={regions} query={{ as }} />
      {chosen !== undefined && <PeerGroup title={chosen.name} peers={chosen.peers} />}
    </Page>
  );
};

interface PictureProps {
  readonly kind: "world" | "latency";
  readonly peers: readonly MapPeer[];
  readonly mesh: MapView["mesh"]["location"];
  readonly recent: RecentTasks;
}

const PeersPicture = ({ kind, peers, mesh, recent }: PictureProps) => {
  const spots = useRef<readonly Spot[]>([]);
  const [pointed, setPointed] = useState<Spot | null>(null);
  const [chosen, setChosen] = useState<Spot | null>(null);
  // Lines end after a while, also when nothing else changes.
  const moment = Math.floor(clock.value / LINE_MS);
  const lines = useMemo(
    () => taskLines(recent.tasks, new Set(peers.map(({ peer }) => peer.id)), clock.peek()),
    [recent, peers, moment],
  );
  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number, height: number): void => {
      context.clearRect(0, 0, width, height);
      spots.current =
        kind === "world"
          ? drawWorld(context, width, { peers, lines, mesh })
          : drawLatency(context, width, height, { peers, lines });
    },
    [kind, peers, lines, mesh],
  );
  const choose = (at: Point): void => {
    const spot = spotAt(spots.current, at);
    const [only, ...others] = spot?.peers ?? [];
    if (only !== undefined && others.length === 0) goTo(["peers", only.id]);
    else setChosen(spot);
  };
  return (
    <>
      <Panel title={kind === "world" ? "Places" : "Round trips to the mesh"} aside={<Legend />}>
        <Picture
          label={`${counted(peers.length, "peer")} ${kind === "world" ? "on a map of the world" : "around the mesh, by their round trips"}; the table below has them by region`}
          ratio={kind === "world" ? MAP_RATIO : 1}
          heightMax={kind === "world" ? 900 : 640}
          draw={draw}
          onPoint={(at) => setPointed(at === null ? null : spotAt(spots.current, at))}
          onChoose={choose}
        />
        <p class="quiet picture-text">
          {pointed === null ? <About kind={kind} peers={peers} /> : textOf(pointed)}
        </p>
      </Panel>
      {chosen !== null && (
        <PeerGroup title={`${counted(chosen.peers.length, "peer")} here`} peers={chosen.peers} />
      )}
    </>
  );
};

const Legend = () => (
  <p class="legend">
    <span class="map-mark score-low">low score</span>
    <span class="map-mark score-medium">medium</span>
    <span class="map-mark score-high">high</span>
    <span class="map-mark mesh">the mesh</span>
  </p>
);

const About = ({ kind, peers }: Pick<PictureProps, "kind" | "peers">) => {
  if (kind === "world")
    return (
      <>
        Lines are tasks of the last minute. Places follow from the addresses of the connections, and
        may be far off.
      </>
    );
  const known = peers.filter(({ network }) => network !== undefined).length;
  return (
    <>
      The distance from the middle is the round trip to the mesh. The direction is that of the
      network coordinates, so that peers near each other in the network are near each other here:{" "}
      {count(known)} of {counted(peers.length, "peer")} {known === 1 ? "has" : "have"} one; for the
      others it means nothing.
    </>
  );
};

function textOf({ peers, score: mean }: Spot): string {
  const names = peers.slice(0, 3).map(({ id, name }) => (name === "" ? shortId(id) : line(name)));
  const more = peers.length > names.length ? `, and ${peers.length - names.length} more` : "";
  return `${names.join(", ")}${more}: score ${score(mean)}`;
}
