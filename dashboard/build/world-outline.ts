/** The outline of the land, as a module of the page: made of Natural Earth's map 1:110m, as the package `world-atlas` has it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const SOURCE = require.resolve("world-atlas/land-110m.json");
/** Antarctica is left out: it would take a fifth of the map. */
const SOUTH = -57;
/** Points are rounded to a fifth of a degree, a pixel of a map that is 1,800 pixels wide. */
const STEPS_PER_DEGREE = 5;
const TURN = 360 * STEPS_PER_DEGREE;

type Point = readonly [longitude: number, latitude: number];

/** A TopoJSON topology with one collection of multipolygons, quantized. */
interface Topology {
  readonly transform: { readonly scale: Point; readonly translate: Point };
  readonly arcs: readonly (readonly Point[])[];
  readonly objects: {
    readonly land: { readonly geometries: readonly { readonly arcs: readonly number[][][] }[] };
  };
}

/** The text of `dashboard/src/model/world-outline.ts`. */
export async function worldOutline(): Promise<string> {
  const { transform, arcs, objects } = JSON.parse(await readFile(SOURCE, "utf8")) as Topology;
  const decoded = arcs.map((arc) => decodedArc(arc, transform));
  const rings = objects.land.geometries
    .flatMap(({ arcs: polygons }) => polygons.flat())
    .map((ring) => ring.flatMap((index) => pointsOf(decoded, index)))
    .filter((ring) => ring.some(([, latitude]) => latitude > SOUTH))
    .map(encoded)
    .filter((text) => text !== "");
  return [
    "/** Made by dashboard/build/world-outline.ts from Natural Earth's land 1:110m (public domain), as `world-atlas` has it. */",
    `export const WORLD_OUTLINE =\n  "${rings.join(";")}";\n`,
  ].join("\n");
}

/** The points of an arc are steps of a grid, each from the one before. */
function decodedArc(arc: readonly Point[], { scale, translate }: Topology["transform"]): Point[] {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
}

/** A negative index, -1 - n, is arc n backwards. */
const pointsOf = (arcs: readonly (readonly Point[])[], index: number): readonly Point[] =>
  index < 0 ? (arcs[-1 - index] ?? []).toReversed() : (arcs[index] ?? []);

/** Steps between the rounded points, without points that are the same; empty for what is too small. */
function encoded(ring: readonly Point[]): string {
  const points = aroundTheMiddle(ring);
  let [x, y] = [0, 0];
  const steps = points.flatMap(([nextX, nextY], at) => {
    if (at > 0 && nextX === x && nextY === y) return [];
    const step = [nextX - x, nextY - y];
    [x, y] = [nextX, nextY];
    return step;
  });
  return steps.length < 8 ? "" : steps.join(" ");
}

/** The rounded points. Land on both sides of the 180th meridian goes on beyond it, on the side that has more of it. */
function aroundTheMiddle(ring: readonly Point[]): readonly Point[] {
  let before = rounded(ring[0]?.[0] ?? 0);
  const points = ring.map(([longitude, latitude]): Point => {
    const x = rounded(longitude);
    before = x + turns(before - x);
    return [before, rounded(latitude)];
  });
  const xs = points.map(([x]) => x);
  const shift = turns((Math.min(...xs) + Math.max(...xs)) / 2);
  return points.map(([x, y]) => [x - shift, y]);
}

const turns = (steps: number): number => TURN * Math.round(steps / TURN);

const rounded = (degrees: number): number => Math.round(degrees * STEPS_PER_DEGREE);
