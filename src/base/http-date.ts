import type { Millis } from "./clock.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const MONTH = `(?<month>${MONTHS.join("|")})`;
const DAY_SHORT = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const DAY_LONG = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";

/** The three forms of RFC 9110 section 5.6.7: IMF-fixdate, that of RFC 850, and that of asctime(). */
const FORMS = [
  String.raw`${DAY_SHORT}, (?<day>\d{2}) ${MONTH} (?<year>\d{4}) ${TIME} GMT`,
  String.raw`${DAY_LONG}, (?<day>\d{2})-${MONTH}-(?<year>\d{2}) ${TIME} GMT`,
  String.raw`${DAY_SHORT} ${MONTH} (?<day>\d{2}| \d) ${TIME} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** A date of HTTP; null if the text is none. `now` tells the century of a year with two digits: at most 50 years ahead. */
export function readHttpDate(text: string, now: Millis): Millis | null {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const of = (name: string): number => Number(parts[name]);
    const month = MONTHS.indexOf(parts["month"] ?? "");
    const [day, hour, minute] = [of("day"), of("hour"), of("minute")];
    // A leap second counts as the second before it.
    const second = Math.min(of("second"), 59);
    const year = parts["year"]?.length === 2 ? fullYear(of("year"), now) : of("year");
    if (hour > 23 || minute > 59 || of("second") > 60) return null;
    const at = Date.UTC(year, month, day, hour, minute, second);
    // 31 June is no date.
    return new Date(at).getUTCDate() === day && year >= 1_000 ? at : null;
  }
  return null;
}

function fullYear(twoDigits: number, now: Millis): number {
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + twoDigits;
  return year > present + 50 ? year - 100 : year;
}
