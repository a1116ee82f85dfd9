import type { CpuProfile, ProfileNode } from "./inspector.ts";
import { nameOf, nodeTimes, type PlaceOf } from "./self-times.ts";

/** One box: a function called by the function below it. */
interface Frame {
  readonly name: string;
  readonly place: string;
  /** Microseconds, with all that the function called. */
  us: number;
  readonly callees: Map<string, Frame>;
}

const WIDTH = 1_600;
const MARGIN = 10;
const ROW = 18;
const HEADER = 46;
/** Narrower boxes are left out, in pixels. */
const WIDTH_MIN = 0.6;
const CHARACTER_WIDTH = 6.6;

/** Renders a CPU profile as an SVG: callers below, callees above, the width is time. Idle time is left out. */
export function flameGraph(profile: CpuProfile, placeOf: PlaceOf, title: string): string {
  const root = frameTree(profile, placeOf);
  const rows = depthOf(root, root.us) + 1;
  const height = HEADER + rows * ROW + MARGIN;
  const scale = (WIDTH - 2 * MARGIN) / root.us;
  const boxes: string[] = [];
  const draw = (frame: Frame, x: number, row: number): void => {
    const width = frame.us * scale;
    if (width < WIDTH_MIN) return;
    boxes.push(box(frame, root.us, { x, y: height - MARGIN - (row + 1) * ROW, width }));
    let left = x;
    for (const callee of byName(frame.callees)) {
      draw(callee, left, row + 1);
      left += callee.us * scale;
    }
  };
  draw(root, MARGIN, 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${MARGIN}" y="20" font-size="15" fill="#222">${escape(title)}</text>
<text x="${MARGIN}" y="37" fill="#666">Width: share of the time in which the thread was busy. Above a function: what it called. Orange: Muster; green: dependencies; blue: V8 and workerd. Hover for times.</text>
${boxes.join("\n")}
</svg>
`;
}

/** The tree of calls; equal functions with the same caller are one frame. */
function frameTree(profile: CpuProfile, placeOf: PlaceOf): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = nodeTimes(profile);
  const root: Frame = { name: "all", place: "", us: 0, callees: new Map() };
  const add = (node: ProfileNode, into: Frame): number => {
    let us = times.get(node.id) ?? 0;
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child === undefined || nameOf(child) === "(idle)") continue;
      us += add(child, frameOf(child, into, placeOf));
    }
    into.us += us;
    return us;
  };
  const [top] = profile.nodes;
  if (top !== undefined) add(top, root);
  return root;
}

function frameOf(node: ProfileNode, caller: Frame, placeOf: PlaceOf): Frame {
  const name = nameOf(node);
  const place = placeOf(node);
  const key = `${name} ${place}`;
  const frame = caller.callees.get(key) ?? { name, place, us: 0, callees: new Map() };
  caller.callees.set(key, frame);
  return frame;
}

/** The number of rows above this frame that are wide enough to be drawn. */
function depthOf(frame: Frame, total: number): number {
  const drawn = [...frame.callees.values()].filter(
    ({ us }) => (us / total) * (WIDTH - 2 * MARGIN) >= WIDTH_MIN,
  );
  return drawn.reduce((deepest, callee) => Math.max(deepest, 1 + depthOf(callee, total)), 0);
}

const byName = (frames: ReadonlyMap<string, Frame>): readonly Frame[] =>
  [...frames.values()].toSorted((a, b) => (a.name + a.place < b.name + b.place ? -1 : 1));

function box(frame: Frame, total: number, at: { x: number; y: number; width: number }): string {
  const { x, y, width } = at;
  const share = ((100 * frame.us) / total).toFixed(1);
  const tooltip = `${frame.name} ${frame.place}: ${(frame.us / 1_000).toFixed(1)} ms, ${share} %`;
  const characters = Math.floor((width - 6) / CHARACTER_WIDTH);
  const label =
    frame.name.length <= characters ? frame.name : `${frame.name.slice(0, characters - 1)}…`;
  const text =
    characters < 3
      ? ""
      : `<text x="${(x + 3).toFixed(1)}" y="${y + 13}" fill="#111">${escape(label)}</text>`;
  return `<g><title>${escape(tooltip)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" rx="1" fill="${colorOf(frame)}"/>${text}</g>`;
}

/** The hue says whose code it is; the lightness differs by name, the same in every run. */
function colorOf({ name, place }: Frame): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_009;
  return `hsl(${hueOf(place)} 75% ${68 + (hash % 14)}%)`;
}

function hueOf(place: string): number {
  if (place === "") return 210; // V8 and workerd
  if (/^(src|durable|workers|bench)\//.test(place)) return 32;
  return 140; // a dependency
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
