import { duration } from "../../model/format.ts";
import { latencyPoint, latencyScale, radiusAt } from "../../model/latency-plot.ts";
import type { MapPeer } from "../../model/map-peers.ts";
import type { Placed, Spot } from "../../model/map-spots.ts";
import { color } from "../../ui/theme.ts";
import { drawMarks, type Marks } from "./draw.ts";

interface Latency extends Pick<Marks, "lines"> {
  readonly peers: readonly MapPeer[];
}

const MARGIN = 24;

/** Draws the peers around the mesh, as far from it as their round trips are long. */
export function drawLatency(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  { peers, lines }: Latency,
): readonly Spot[] {
  const [x, y] = [width / 2, height / 2];
  const radius = Math.min(x, y) - MARGIN;
  const { rim, rings } = latencyScale(peers.flatMap(({ peer }) => peer.ping_ms ?? []));
  for (const ring of rings) {
    const at = radius * radiusAt(ring, rim);
    context.beginPath();
    context.arc(x, y, at, 0, 2 * Math.PI);
    context.strokeStyle = color("line");
    context.lineWidth = 1;
    context.stroke();
  }
  const placed = peers.flatMap(({ peer, network, number }): readonly Placed[] => {
    const point = latencyPoint(peer, network, number, rim);
    return point === null ? [] : [{ peer, at: [x + radius * point[0], y + radius * point[1]] }];
  });
  const spots = drawMarks(context, { placed, lines, mesh: [x, y] });
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillStyle = color("text");
  for (const ring of rings)
    context.fillText(duration(ring), x, y - radius * radiusAt(ring, rim) - 2);
  return spots;
}
