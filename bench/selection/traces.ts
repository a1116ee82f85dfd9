import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** The measured data lie beside the repository; they are not part of it. */
const DATA = fileURLToPath(import.meta.resolve("../../../shared/data/"));
const RTTS = "seattle.u16.bin.gz";
const AVAILABILITY = "availability.json";

export const DEVICES = 99;
export const FRAMES = 688;
export const FRAME_MS = 15_700;
/** The unit of the file, and the value for its 0, which means "below 5 ms". */
const UNIT_MS = 10;
const BELOW_MS = 2.5;

/** Times up and down in milliseconds, as Weibull distributions. */
export interface System {
  readonly up: Weibull;
  readonly down: Weibull;
}

export interface Weibull {
  readonly shape: number;
  readonly scale: number;
}

export interface Traces {
  /** Round-trip times in milliseconds, index ((frame * DEVICES) + from) * DEVICES + to. */
  readonly rtts: Float32Array;
  readonly systems: readonly System[];
}

export const hasTraces = (): boolean => existsSync(DATA + RTTS) && existsSync(DATA + AVAILABILITY);

/** The traces; null when the files are missing. */
export function readTraces(): Traces | null {
  if (!hasTraces()) return null;
  const bytes = gunzipSync(readFileSync(DATA + RTTS));
  const rtts = new Float32Array(bytes.length / 2);
  for (let i = 0; i < rtts.length; i++) rtts[i] = bytes.readUInt16LE(2 * i) * UNIT_MS || BELOW_MS;
  if (rtts.length !== FRAMES * DEVICES * DEVICES) throw new Error(`${RTTS} has another size`);
  const { systems } = JSON.parse(readFileSync(DATA + AVAILABILITY, "utf8")) as AvailabilityFile;
  return {
    rtts,
    systems: Object.values(systems).map(({ up, down }) => ({ up: inMs(up), down: inMs(down) })),
  };
}

interface AvailabilityFile {
  readonly systems: Readonly<
    Record<string, { readonly up: FittedDistributions; readonly down: FittedDistributions }>
  >;
}

/** Shape, and scale in hours. */
interface FittedDistributions {
  readonly wbl: readonly [number, number];
}

const HOUR_MS = 3_600_000;
const inMs = ({ wbl: [shape, scale] }: FittedDistributions): Weibull => ({
  shape,
  scale: scale * HOUR_MS,
});
