/** `node bench/selection/plot.ts`: draws docs/selection.png from bench/results/selection.json. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Spread } from "./figures.ts";
import { Raster, textWidth, type Color } from "./raster.ts";

interface Results {
  readonly loads: readonly {
    readonly load: number;
    readonly policies: Readonly<Record<string, { readonly p99: Spread; readonly failed: Spread }>>;
  }[];
}

const WHITE: Color = [255, 255, 255];
const TEXT_COLOR: Color = [32, 36, 44];
const GRID_COLOR: Color = [222, 226, 232];
const BAR_COLOR: Color = [158, 178, 204];
const DEFAULT_COLOR: Color = [38, 132, 96];
const ORACLE_COLOR: Color = [214, 158, 58];

const NAMES_WIDTH = 290;
const PANEL_WIDTH = 400;
const PANEL_GAP = 30;
const FIGURES_WIDTH = 200;
const TOP = 84;
const ROW_HEIGHT = 34;
const BAR_HEIGHT = 20;
/** The ends of the logarithmic axis, in seconds: the slowest policies are ten times as slow as the fastest. */
const [AXIS_FROM, AXIS_TO] = [2, 100];
const TICKS = [2, 5, 10, 20, 50, 100];

const results = new URL("../results/selection.json", import.meta.url);
const { loads } = JSON.parse(readFileSync(results, "utf8")) as Results;
const names = Object.keys(loads[0]?.policies ?? {});

const raster = new Raster(
  NAMES_WIDTH + loads.length * (PANEL_WIDTH + PANEL_GAP),
  TOP + names.length * ROW_HEIGHT + 46,
  WHITE,
);
raster.write(
  "p99 of a task in seconds, minimum to maximum of the seeds, and failed assignments",
  16,
  14,
  TEXT_COLOR,
);

for (const [n, name] of names.entries())
  raster.write(
    name,
    16,
    TOP + n * ROW_HEIGHT + 3,
    colorOf(name) === BAR_COLOR ? TEXT_COLOR : colorOf(name),
  );
for (const [n, panel] of loads.entries()) draw(panel, NAMES_WIDTH + n * (PANEL_WIDTH + PANEL_GAP));

writeFileSync(new URL("../../docs/selection.png", import.meta.url), raster.png());

function draw({ load, policies }: Results["loads"][number], left: number): void {
  const width = PANEL_WIDTH - FIGURES_WIDTH;
  const x = (seconds: number): number => {
    const share = Math.log(seconds / AXIS_FROM) / Math.log(AXIS_TO / AXIS_FROM);
    return left + width * Math.min(1, Math.max(0, share));
  };
  const bottom = TOP + names.length * ROW_HEIGHT;
  raster.write(`load ${100 * load} %`, left, 48, TEXT_COLOR);
  for (const tick of TICKS) {
    raster.fill(x(tick), TOP - 8, 1, bottom - TOP + 8, GRID_COLOR);
    const label = String(tick);
    raster.write(label, x(tick) - textWidth(label) / 2, bottom + 10, TEXT_COLOR);
  }
  for (const [n, name] of names.entries()) {
    const top = TOP + n * ROW_HEIGHT;
    const { p99, failed } = policies[name] ?? { p99: [0, 0, 0], failed: [0, 0, 0] };
    const [mean, least, greatest] = p99;
    raster.fill(left, top, x(mean) - left, BAR_HEIGHT, colorOf(name));
    raster.fill(x(least), top + BAR_HEIGHT / 2 - 1, x(greatest) - x(least), 2, TEXT_COLOR);
    for (const end of [least, greatest])
      raster.fill(x(end) - 1, top + 5, 2, BAR_HEIGHT - 10, TEXT_COLOR);
    const figures = `${mean.toFixed(1).padStart(5)} ${failed[0].toFixed(2).padStart(6)} %`;
    raster.write(figures, left + width + 24, top + 3, TEXT_COLOR);
  }
}

function colorOf(name: string): Color {
  if (name.startsWith("default")) return DEFAULT_COLOR;
  return name === "oracle" ? ORACLE_COLOR : BAR_COLOR;
}
