import { TROUBLESHOOTING } from "./troubleshooting-text.ts";

/** One entry of docs/troubleshooting.md. */
export interface TroubleshootingEntry {
  /** The code; for a message its words in lower case, joined by hyphens. */
  readonly id: string;
  /** The code or the message; `…` stands for what differs from case to case. */
  readonly title: string;
  /** The entry in Markdown, with its heading. */
  readonly text: string;
}

const HEADING = /^(?=##+ )/m;

/** The entries of a page: its headings of the third level. */
export const entriesOf = (page: string): readonly TroubleshootingEntry[] =>
  page
    .split(HEADING)
    .filter((part) => part.startsWith("### "))
    .map((part) => {
      const title = part.slice(4, part.indexOf("\n")).replaceAll("`", "");
      return { id: idOf(title), title, text: part.trimEnd() };
    });

/** A code is its own ID. */
const idOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");

let entries: ReadonlyMap<string, TroubleshootingEntry> | null = null;
const allEntries = (): ReadonlyMap<string, TroubleshootingEntry> =>
  (entries ??= new Map(entriesOf(TROUBLESHOOTING).map((entry) => [entry.id, entry])));

/** The entries in the order of the page. */
export const troubleshootingEntries = (): readonly TroubleshootingEntry[] => [
  ...allEntries().values(),
];

/** The entry of a code or a message's ID; null if there is none. */
export const troubleshootingEntry = (id: string): TroubleshootingEntry | null =>
  allEntries().get(id) ?? null;
