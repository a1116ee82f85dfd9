import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { TaskKind } from "../../protocol/labels.ts";
import { EVERY_KIND } from "../../protocol/messages.ts";
import type { Handler, PeerOptions } from "../../client/index.ts";
import { countOption, numberOption, type Details } from "../args.ts";
import { execHandler, KILL_AFTER_MS } from "../exec/exec-handler.ts";
import { PROGRESS_FORM, PROGRESS_FRACTIONS } from "../exec/progress-line.ts";
import { UsageError } from "../failure.ts";
import { note } from "../output.ts";
import { moduleProcesses } from "./module-processes.ts";

/** The options of `muster join` that say what runs the tasks. */
export const HANDLER_OPTIONS = {
  exec: { type: "string" },
  handler: { type: "string", multiple: true },
  module: { type: "string" },
  kind: { type: "string", multiple: true },
  memory: { type: "string" },
  "kill-after": { type: "string" },
} as const;

const MEMORY_MB_DEFAULT = 1_024;
/** Below it the SDK itself has no room in the heap. */
const MEMORY_MB_MIN = 32;
const KILL_AFTER_SECONDS_MAX = 3_600;

export const HANDLER_DETAILS: Details = [
  ["--exec COMMAND", "the command for each task: payload (JSON) on stdin, result on stdout"],
  ["--handler KIND=COMMAND", "the command for tasks of this kind; repeatable"],
  ["--module FILE", "a module that exports `handlers` by kind; each task runs in a thread"],
  [
    "--kind KIND",
    "accept only tasks of this kind; repeatable; default: every kind that something here runs",
  ],
  ["--memory MB", `with --module: the heap of a task, in megabytes; default: ${MEMORY_MB_DEFAULT}`],
  [
    "--kill-after S",
    `with --exec and --handler: seconds from SIGTERM to SIGKILL when a task is canceled; default: ${KILL_AFTER_MS / 1_000}`,
  ],
];

interface HandlerValues {
  readonly exec?: string | undefined;
  readonly handler?: readonly string[] | undefined;
  readonly module?: string | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly memory?: string | undefined;
  readonly "kill-after"?: string | undefined;
}

/** Whether the options name anything that runs tasks. */
export const runsTasks = ({ exec, handler, module }: HandlerValues): boolean =>
  exec !== undefined || handler !== undefined || module !== undefined;

/**
 * The handlers of the peer. A task goes to the command of its kind (`--handler`), else to the module if that handles the kind, else to
 * the command of `--exec`.
 */
export function handlerOptions(values: HandlerValues): Partial<PeerOptions> {
  const { exec, module, kind } = values;
  if (kind !== undefined && !runsTasks(values))
    throw new UsageError("--kind needs --exec, --handler or --module", "name what runs the tasks");
  for (const each of kind ?? []) checkKind("--kind", each);
  const commands = commandsByKind(values.handler ?? []);
  if (exec !== undefined) commands.set(EVERY_KIND, exec);
  const killAfterMs = killAfter(values, commands.size > 0);
  const memoryMb = memory(values);
  const handlers = Object.fromEntries(
    [...commands].map(([each, command]) => [each, programOf(each, command, killAfterMs)]),
  );
  if (module === undefined && kind !== undefined) expectHandlers(kind, commands);
  return {
    handlers,
    ...(kind !== undefined && { kinds: kind }),
    ...(module !== undefined && {
      handlersModule: pathToFileURL(resolve(module)),
      platform: { spawnThread: moduleProcesses(memoryMb) },
    }),
  };
}

/** The kinds of `KIND=COMMAND`, with their commands. */
function commandsByKind(texts: readonly string[]): Map<string, string> {
  const commands = new Map<string, string>();
  for (const text of texts) {
    const [, kind = "", command = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (command.trim() === "")
      throw new UsageError(
        `--handler must be KIND=COMMAND, not "${text}"`,
        "for example --handler resize=./resize.py",
      );
    checkKind("--handler", kind);
    if (commands.has(kind)) throw new UsageError(`--handler has two commands for ${kind}`);
    commands.set(kind, command);
  }
  return commands;
}

function checkKind(option: string, kind: string): void {
  if (TaskKind.safeParse(kind).success) return;
  const hint =
    kind === EVERY_KIND
      ? "--exec is for every kind without a command of its own"
      : "a kind is 1 to 64 letters, digits and . _ / -";
  throw new UsageError(`${option}: "${kind}" is not a kind`, hint);
}

function expectHandlers(kinds: readonly string[], commands: ReadonlyMap<string, string>): void {
  const missing = kinds.find((kind) => !commands.has(kind) && !commands.has(EVERY_KIND));
  if (missing === undefined) return;
  throw new UsageError(
    `nothing runs tasks of the kind ${missing}`,
    `add --handler ${missing}=COMMAND, or --exec COMMAND for every other kind`,
  );
}

function memory({ memory: text, module }: HandlerValues): number {
  const megabytes = countOption("memory", text) ?? MEMORY_MB_DEFAULT;
  if (text !== undefined && module === undefined)
    throw new UsageError("--memory needs --module", "the memory of a command is its own");
  if (megabytes < MEMORY_MB_MIN)
    throw new UsageError(`--memory must be at least ${MEMORY_MB_MIN} (megabytes), not ${text}`);
  return megabytes;
}

function killAfter({ "kill-after": text }: HandlerValues, hasCommand: boolean): number {
  const seconds = numberOption("kill-after", text) ?? KILL_AFTER_MS / 1_000;
  if (text !== undefined && !hasCommand)
    throw new UsageError("--kill-after needs --exec or --handler", "it is about their programs");
  if (seconds < 0 || seconds > KILL_AFTER_SECONDS_MAX)
    throw new UsageError(`--kill-after must be 0 to ${KILL_AFTER_SECONDS_MAX}, not ${text}`);
  return seconds * 1_000;
}

const programOf = (kind: string, command: string, killAfterMs: number): Handler =>
  execHandler(command, {
    killAfterMs,
    onMalformedProgress: (line) =>
      note(
        `the program of ${kind === EVERY_KIND ? "--exec" : kind} wrote a malformed progress line, and further ones are ignored without a word: "${line}"; write ${PROGRESS_FORM}, where FRACTION is ${PROGRESS_FRACTIONS}`,
      ),
  });
