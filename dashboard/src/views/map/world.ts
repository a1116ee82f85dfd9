import { landOutlines, onMap, type Point } from "../../model/world-map.ts";
import type { MapPeer } from "../../model/map-peers.ts";
import type { Placed, Spot } from "../../model/map-spots.ts";
import { color } from "../../ui/theme.ts";
import { drawMarks, type Marks } from "./draw.ts";

interface World extends Pick<Marks, "lines"> {
  readonly peers: readonly MapPeer[];
  readonly mesh: { readonly latitude: number; readonly longitude: number } | undefined;
}

const LAND = landOutlines();

/** Draws the peers on the map of the world. */
export function drawWorld(
  context: CanvasRenderingContext2D,
  width: number,
  { peers, lines, mesh }: World,
): readonly Spot[] {
  context.beginPath();
  for (const ring of LAND)
    for (const [at, [x, y]] of ring.entries())
      if (at === 0) context.moveTo(x * width, y * width);
      else context.lineTo(x * width, y * width);
  context.fillStyle = color("sunken");
  context.fill("evenodd");
  context.strokeStyle = color("line");
  context.lineWidth = 1;
  context.stroke();
  const pixels = ({ longitude, latitude }: { longitude: number; latitude: number }): Point => {
    const [x, y] = onMap(longitude, latitude);
    return [x * width, y * width];
  };
  const placed = peers.flatMap(({ peer, location }): readonly Placed[] =>
    location === undefined ? [] : [{ peer, at: pixels(location) }],
  );
  return drawMarks(context, { placed, lines, mesh: mesh === undefined ? null : pixels(mesh) });
}
