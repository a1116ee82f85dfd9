/** Finds the entries of docs/troubleshooting.md that somebody means who does not know the exact code. */
import { nearestName } from "../../base/near-name.ts";
import { ERROR_CODES, statusOf } from "../../protocol/errors.ts";
import {
  troubleshootingEntries,
  type TroubleshootingEntry,
} from "../../protocol/troubleshooting.ts";

interface FoundEntry {
  readonly id: string;
  /** In a few words. */
  readonly meaning: string;
  readonly text: string;
}

/** The most entries of a list that is no answer to an exact question. */
const LISTED_MAX = 20;
/** Shorter words occur in nearly every entry. */
const WORD_CHARS_MIN = 4;

/**
 * The entries that a word stands for: the one of this code in upper or lower case, those of this HTTP status, those whose code contains
 * the word, or the one whose code is misspelled.
 */
export function codesLike(word: string): readonly FoundEntry[] {
  const all = troubleshootingEntries();
  const wanted = word.toLowerCase();
  const exact = all.find(({ id }) => id === wanted || id === wanted.replaceAll(/[\s-]+/g, "_"));
  if (exact !== undefined) return [found(exact)];
  if (/^[1-5]\d\d$/.test(wanted)) {
    const codes = new Set<string>(ERROR_CODES.filter((code) => statusOf(code) === Number(wanted)));
    return all.filter(({ id }) => codes.has(id)).map(found);
  }
  const containing =
    wanted.length < WORD_CHARS_MIN ? [] : all.filter(({ id }) => id.includes(wanted));
  if (containing.length > 0) return containing.slice(0, LISTED_MAX).map(found);
  const near = nearestName(
    wanted,
    all.map(({ id }) => id),
  );
  return all.filter(({ id }) => id === near).map(found);
}

/** The entries whose text contains a word. */
export function entriesAbout(word: string): readonly FoundEntry[] {
  if (word.length < WORD_CHARS_MIN) return [];
  const wanted = word.toLowerCase();
  return troubleshootingEntries()
    .filter(({ text }) => text.toLowerCase().includes(wanted))
    .slice(0, LISTED_MAX)
    .map(found);
}

/** All entries, one line each. */
export function listOfCodes(): readonly string[] {
  const all = troubleshootingEntries().map(found);
  const width = Math.max(...all.map(({ id }) => id.length));
  return all.map(({ id, meaning }) => `${id.padEnd(width)}  ${meaning}`.trimEnd());
}

const found = ({ id, text }: TroubleshootingEntry): FoundEntry => ({
  id,
  text,
  meaning: meaningOf(text),
});

const MEANING_CHARS_MAX = 70;

/** What one sees, which is the first paragraph: of a code its title, in quotation marks. */
function meaningOf(text: string): string {
  const [, shown = ""] = text.split("\n\n");
  const title = /^"([^"]+)"/.exec(shown)?.[1] ?? shown.replaceAll(/[`*]|\n.*/gs, "");
  return title.length <= MEANING_CHARS_MAX ? title : `${title.slice(0, MEANING_CHARS_MAX - 1)}…`;
}
