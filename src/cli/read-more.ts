import { isErrorCode } from "../protocol/errors.ts";
import { troubleshootingEntry } from "../protocol/troubleshooting.ts";
import { quotedCommand } from "./command-name.ts";

/** The command that explains a code; null if no entry does. */
export const readMore = (code: string): string | null =>
  troubleshootingEntry(code) === null ? null : `${quotedCommand(`help ${code}`)} explains it`;

/** What a text ends with that names this code. */
export const moreAbout = (code: string): string => {
  const more = readMore(code);
  return more === null ? "" : `; ${more}`;
};

/** The code that says most about the end of a connection: the error code with which its reason begins, else the close code. */
export function codeOfEnd(closeCode: number, reason: string): string {
  const [word = ""] = reason.split(":");
  return isErrorCode(word) ? word : String(closeCode);
}
