/** What the pictures of the map have in common: spots of peers, lines of tasks, and the mesh. */
import type { TaskLine } from "../../model/map-peers.ts";
import { radiusOf, spotsOf, type Placed, type Spot } from "../../model/map-spots.ts";
import { scoreColor } from "../../model/score-color.ts";
import type { Point } from "../../model/world-map.ts";
import { color } from "../../ui/theme.ts";

type Context = CanvasRenderingContext2D;

export interface Marks {
  readonly placed: readonly Placed[];
  readonly lines: readonly TaskLine[];
  /** Null: it is not known where the mesh is. */
  readonly mesh: Point | null;
}

/** Draws them, and returns the spots. */
export function drawMarks(context: Context, { placed, lines, mesh }: Marks): readonly Spot[] {
  const places = new Map(placed.map(({ peer, at }) => [peer.id, at]));
  for (const { from, to, tasks } of lines) {
    const start = from === null ? mesh : places.get(from);
    const end = places.get(to);
    if (start !== null && start !== undefined && end !== undefined)
      drawLine(context, start, end, tasks);
  }
  const spots = spotsOf(placed);
  const colors = {
    low: color("score-low"),
    medium: color("score-medium"),
    high: color("score-high"),
  };
  for (const spot of spots) drawSpot(context, spot, scoreColor(spot.score, colors));
  if (mesh !== null) drawMesh(context, mesh);
  return spots;
}

/** An arc, so that lines there and back are two. */
function drawLine(context: Context, [x1, y1]: Point, [x2, y2]: Point, tasks: number): void {
  const bend = 0.18;
  context.beginPath();
  context.moveTo(x1, y1);
  context.quadraticCurveTo(
    (x1 + x2) / 2 + bend * (y2 - y1),
    (y1 + y2) / 2 - bend * (x2 - x1),
    x2,
    y2,
  );
  context.strokeStyle = color("accent");
  context.globalAlpha = 0.45;
  context.lineWidth = Math.min(4, 1 + Math.log2(tasks) / 2);
  context.stroke();
  context.globalAlpha = 1;
}

function drawSpot(context: Context, spot: Spot, fill: string): void {
  const [x, y] = spot.at;
  const radius = radiusOf(spot);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = color("surface");
  context.lineWidth = 1.5;
  context.stroke();
  if (spot.peers.length === 1 || radius < 9) return;
  context.fillStyle = color("surface");
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(spot.peers.length > 999 ? "999+" : String(spot.peers.length), x, y);
}

function drawMesh(context: Context, [x, y]: Point): void {
  context.beginPath();
  context.rect(x - 5, y - 5, 10, 10);
  context.fillStyle = color("accent");
  context.fill();
  context.strokeStyle = color("surface");
  context.lineWidth = 2;
  context.stroke();
}
