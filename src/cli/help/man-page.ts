import type { Command } from "../command.ts";
import type { CommandGroup } from "../command-groups.ts";
import { EXIT_MEANINGS } from "../exit-codes.ts";

/** The manual page in the language of man(7), for `man -l`. `date` is the day on which it is made: 2030-01-31. */
export function manPage(
  groups: readonly CommandGroup[],
  version: string,
  date: string,
): readonly string[] {
  return [
    `.TH MUSTER 1 "${date}" "Muster ${plain(version)}" "Muster Manual"`,
    ".SH NAME",
    "muster \\- a control plane for a mesh of compute peers",
    ".SH SYNOPSIS",
    ".B muster",
    "COMMAND [OPTION]...",
    ".SH DESCRIPTION",
    text(
      "Muster runs a mesh of compute peers: peers join over WebSocket, are measured and scored, and get tasks.",
    ),
    text(
      "muster help COMMAND describes a command, muster help CODE an error code or a close code.",
    ),
    text(
      "The output of a command is on stdout; notes and errors are on stderr. With --json, the output is JSON, and so is an error: one object on the last line of stderr.",
    ),
    ...groups.flatMap(({ title, commands }) => [
      `.SH ${quoted(title.toUpperCase())}`,
      ...Object.values(commands).flatMap(commandLines),
    ]),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, meaning]) => [".TP", `.B ${plain(name)}`, text(meaning)]),
    ".SH EXIT STATUS",
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => [".TP", `.B ${code}`, text(meaning)]),
  ];
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["MUSTER_URL", "the mesh, if neither --url nor --dir names one"],
  ["MUSTER_TOKEN", "a bearer token, if --token-file names none"],
  ["MUSTER_JOIN_KEY", "a join key, if --join-key-file names none"],
  ["MUSTER_LINK", "a link, if --link-file names none"],
  ["MUSTER_WEBHOOK_SECRET", "the secret of a webhook source, if --secret-file names none"],
  ["NO_COLOR", "if set, nothing is colored"],
];

function commandLines({ usage, summary, details, examples }: Command): readonly string[] {
  return [
    `.SS ${quoted(`muster ${usage}`)}`,
    text(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
    ...details.flatMap(([left, meaning]) =>
      left.trim() === ""
        ? [text(meaning)]
        : [".TP", `.B ${plain(left.trim())}`, ...(meaning === "" ? ["\\&"] : [text(meaning)])],
    ),
    ...(examples.length === 0
      ? []
      : [
          ".PP",
          examples.length === 1 ? "Example:" : "Examples:",
          ".PP",
          ".nf",
          ...examples.map((example) => text(`    muster ${example}`)),
          ".fi",
        ]),
  ];
}

/** Text without anything that roff acts on: its escape character, and a dash that is no hyphen. */
const plain = (content: string): string =>
  content
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("×", "\\(mu")
    .replaceAll("“", "\\(lq");

/** A line of text: one that begins with a dot or an apostrophe would be a request. */
const text = (content: string): string => `\\&${plain(content)}`;

/** One argument of a macro. */
const quoted = (content: string): string => `"${plain(content).replaceAll('"', "\\(dq")}"`;
