import type { Context } from "hono";
import { TROUBLESHOOTING } from "../src/protocol/troubleshooting-text.ts";
import { troubleshootingEntry } from "../src/protocol/troubleshooting.ts";
import { problem } from "./problem.ts";

/** Plain text: a browser shows it, and does not render it. */
const HEADERS = { "Content-Type": "text/plain; charset=utf-8" };

/** The commands as an installed package has them. The page is that of the checkout. */
const installed = (text: string): string => text.replaceAll("npx muster ", "npx muster-mesh ");

/** The whole page of codes and messages. */
export const troubleshootingPage = (c: Context): Response =>
  c.body(installed(TROUBLESHOOTING), 200, HEADERS);

/** The entry of one code. What was asked for is not repeated in the answer. */
export function troubleshootingAnswer(c: Context): Response {
  const entry = troubleshootingEntry(c.req.param("code") ?? "");
  if (entry !== null) return c.body(`${installed(entry.text)}\n`, 200, HEADERS);
  return problem(c, {
    code: "not_found",
    detail: "there is no such code; GET /troubleshooting shows them all",
  });
}
