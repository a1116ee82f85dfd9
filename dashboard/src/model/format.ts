/** How values are written on the page. */
import { escapeText } from "../../../src/base/escape-text.ts";

const NOTHING = "–";
const LOCALE = "en-US";
const WHOLE = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const PRECISE = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });

/** A count with separators: `12,345`. */
export const count = (value: number): string => WHOLE.format(value);

/** A number of three significant digits at most: `0.25`, `12.3`, `1,230`. */
export const number = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? NOTHING : PRECISE.format(value);

/** A count with its noun: `1 peer`, `2 peers`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`;

/** A share as percent. A small share that is not zero is not shown as zero. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NOTHING;
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : WHOLE.format(value)} %`;
}

/** A score from 0.0 to 1.0, with two digits. */
export const score = (value: number | null): string =>
  value === null ? NOTHING : value.toFixed(2);

/** A time span in milliseconds, in the largest unit that fits: `340 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null || !Number.isFinite(milliseconds)) return NOTHING;
  const ms = Math.max(0, milliseconds);
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const [large, small, unit, part] = unitsOf(Math.round(seconds));
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${part}`;
}

function unitsOf(seconds: number): readonly [large: number, small: number, string, string] {
  if (seconds < 3_600) return [Math.floor(seconds / 60), seconds % 60, "min", "s"];
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return [Math.floor(minutes / 60), minutes % 60, "h", "min"];
  const hours = Math.floor(minutes / 60);
  return [Math.floor(hours / 24), hours % 24, "d", "h"];
}

/** How long ago a time is, roughly: `now`, `12 s ago`, `5 min ago`, `in 2 h`. */
export function ago(at: string | null, now: number): string {
  if (at === null) return NOTHING;
  const past = now - Date.parse(at);
  const distance = Math.abs(past);
  if (distance < 1_500) return "now";
  const text = roughly(distance / 1_000);
  return past > 0 ? `${text} ago` : `in ${text}`;
}

function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** A size in bytes, in decimal units: `950 B`, `1.2 MB`. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : PRECISE.format(size)} ${UNITS[unit]}`;
}

/** An amount in dollars: `$12.30`, `$0.0042`, `less than $0.0001`. */
export function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value < 0.0001) return "less than $0.0001";
  return `$${value < 1 ? value.toPrecision(2) : value.toFixed(2)}`;
}

/** Enough of an ID to tell it from others on the page. */
export const shortId = (id: string): string => id.slice(0, 8);

/** A text from elsewhere, as one line in which every character is shown: those that reorder or hide text are escaped. */
export const line = (text: string): string => escapeText(text);

/** The same for text of several lines. */
export const lines = (text: string): string => text.split("\n").map(escapeText).join("\n");
