/** The map of the world in the Natural Earth projection (T. Patterson; B. Šavrič and others, 2011). */
import { WORLD_OUTLINE } from "./world-outline.ts";

export type Point = readonly [x: number, y: number];

/** As `dashboard/build/world-outline.ts` rounds. */
const STEPS_PER_DEGREE = 5;
const NORTH = 84;
const SOUTH = -57;

/** A place on a plane, in units of the Earth's radius, with the north at the top: y grows to the south. */
function project(longitude: number, latitude: number): Point {
  const phi = (latitude * Math.PI) / 180;
  const [p2, p4] = [phi ** 2, phi ** 4];
  const x = 0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4));
  const y = 1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4));
  return [((longitude * Math.PI) / 180) * x, -phi * y];
}

const TOP = project(0, NORTH)[1];
const WIDTH = 2 * project(180, 0)[0];
/** The height of the map as a share of its width. */
export const MAP_RATIO = (project(0, SOUTH)[1] - TOP) / WIDTH;

/** A place as a share of the width of the map, from its upper left corner. */
export function onMap(longitude: number, latitude: number): Point {
  const [x, y] = project(longitude, Math.max(SOUTH, Math.min(NORTH, latitude)));
  return [x / WIDTH + 0.5, (y - TOP) / WIDTH];
}

/** The outlines of the land, in the same measure. */
export const landOutlines = (): readonly (readonly Point[])[] =>
  WORLD_OUTLINE.split(";").map((ring) => {
    const steps = ring.split(" ").map(Number);
    const points: Point[] = [];
    let [x, y] = [0, 0];
    for (let at = 0; at < steps.length; at += 2) {
      x += steps[at] as number;
      y += steps[at + 1] as number;
      points.push(onMap(x / STEPS_PER_DEGREE, y / STEPS_PER_DEGREE));
    }
    return points;
  });
