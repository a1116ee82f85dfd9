import { stat } from "node:fs/promises";
import {
  connectPeer,
  generateIdentity,
  type Peer,
  type PeerEvent,
  type PeerOptions,
} from "../../client/index.ts";
import { SECOND } from "../../base/clock.ts";
import { DRAIN_TIMEOUT_MAX } from "../../protocol/drain-limits.ts";
import { PROTOCOLS } from "../../protocol/http.ts";
import { ROLES } from "../../protocol/messages.ts";
import { choiceOption, countOption, readArgs, type Command, type Values } from "../args.ts";
import { eventLine } from "../event-line.ts";
import { UsageError } from "../failure.ts";
import { unreadableInput } from "../files.ts";
import { readKeyFile, type StoredKey } from "../key-file.ts";
import {
  HANDLER_DETAILS,
  HANDLER_OPTIONS,
  handlerOptions,
  runsTasks,
} from "../join/handler-options.ts";
import { note, print, printJsonLine } from "../output.ts";
import { pinnedConnection, rememberMeshKey } from "../pin.ts";
import { onStopSignal } from "../signals.ts";
import { readSecret, secretDetails } from "../secrets.ts";
import { PEER_TARGET_DETAILS, PEER_TARGET_OPTIONS, peerTargetOf } from "../target.ts";

const usage =
  "join [URL|LINK] [--link-file FILE] [--exec COMMAND] [--handler KIND=COMMAND]... [--module FILE] ...";

const OPTIONS = {
  ...PEER_TARGET_OPTIONS,
  "key-file": { type: "string" },
  name: { type: "string" },
  role: { type: "string" },
  capability: { type: "string", multiple: true },
  slots: { type: "string" },
  "no-prefetch": { type: "boolean" },
  "drain-timeout": { type: "string" },
  "mesh-key": { type: "string" },
  key: { type: "string" },
  "join-key-file": { type: "string" },
  "link-file": { type: "string" },
  protocol: { type: "string" },
  ...HANDLER_OPTIONS,
  "no-hops": { type: "boolean" },
} as const;

const STOPPED = "stopped by its user";
/** How long running tasks may take after the first signal, in seconds. */
const DRAIN_SECONDS = 60;

/** Joins a mesh as a peer, until the user stops it or the mesh rejects it. */
export const join: Command = {
  usage,
  summary: "join a mesh as a peer; with --exec, --handler or --module, run its tasks",
  details: [
    ...HANDLER_DETAILS,
    ["--key-file FILE", "the key of the peer, from `muster keygen`; default: a new key"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...secretDetails("link", "a link: URL, key of the mesh, join key"),
    ...secretDetails("join-key", "a join key, which adds this peer to the allowlist"),
    ["--key JOINKEY", "the same as an argument, which other users of this machine can see"],
    ["--protocol P", `${PROTOCOLS.join(", ")}; default: ${PROTOCOLS[0]}`],
    ["--name NAME", "a name for people"],
    ["--role ROLE", `${ROLES.join(", ")}; default: worker`],
    ["--capability X", "a capability that tasks can require; repeatable"],
    ["--slots N", "how many tasks run at once; default: 1, or 0 if nothing runs tasks"],
    ["--no-prefetch", "do not hold a further task until a slot is free"],
    [
      "--drain-timeout S",
      `seconds that running tasks may take after SIGTERM or Ctrl-C; default: ${DRAIN_SECONDS}`,
    ],
    ["--no-hops", "do not measure the hops to the mesh by traceroute, tracepath or mtr"],
    ...PEER_TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 0, max: 1, usage });
    const timeoutSeconds = drainSeconds(values["drain-timeout"]);
    expectWork(values);
    await expectModule(values.module);
    const target = await peerTargetOf(values, positionals[0]);
    const joinKey = await readSecret("join-key", {
      value: values.key,
      file: values["join-key-file"],
    });
    const stored = await keyOf(values["key-file"]);
    const pin = await pinnedConnection(target, values["mesh-key"]);
    if (pin.joinKey !== undefined && (values.key ?? values["join-key-file"]) !== undefined)
      throw new UsageError(
        "the join key is given twice: the link has one, too",
        "leave --key and --join-key-file out, or join by the URL with --mesh-key",
      );
    const protocol = choiceOption("protocol", values.protocol, PROTOCOLS);
    const onEvent =
      values.json === true
        ? printEventJson
        : (event: PeerEvent) => printEventLine(event, runsTasks(values));
    const peer = connectPeer({
      ...pin,
      privateKey: stored.keys,
      createdAt: stored.createdAt,
      ...(joinKey !== undefined && { joinKey }),
      ...(protocol !== undefined && { protocol }),
      ...peerOptions(values),
      onEvent,
    });
    const remembering = peer.ready.then(
      (mesh) => rememberMeshKey(pin, mesh).catch((error: unknown) => leave(peer, error)),
      () => undefined,
    );
    if (values.json !== true) print(`public key  ${peer.publicKey}`);
    onStopSignal(
      () => void peer.drain({ timeoutSeconds, reason: STOPPED }),
      () => void peer.close(STOPPED).then(() => process.exit(1)),
    );
    await Promise.all([peer.closed, remembering]);
    return 0;
  },
};

/** The options that say how tasks run, and have no effect on a peer that runs none. */
const TASK_OPTIONS = ["slots", "no-prefetch", "drain-timeout"] as const;

function expectWork(values: Values<typeof OPTIONS>): void {
  if (runsTasks(values)) return;
  const idle = TASK_OPTIONS.find((name) => values[name] !== undefined && values[name] !== "0");
  if (idle !== undefined)
    throw new UsageError(
      `--${idle} has no effect on a peer that runs no tasks`,
      "pass --exec, --handler or --module, too, or leave it out",
    );
}

async function expectModule(module: string | undefined): Promise<void> {
  if (module === undefined) return;
  const about = await stat(module).catch((error: unknown) => {
    throw unreadableInput(module, error, "it is the --module");
  });
  if (about.isDirectory()) throw new UsageError(`${module} is a folder`, "it is the --module");
}

/** A peer that can't remember which mesh it trusts does not stay with it. */
async function leave(peer: Peer, error: unknown): Promise<never> {
  await peer.close("the key of the mesh could not be stored");
  throw error;
}

/** Refused here, because a drain that throws at SIGTERM would lose the running tasks. */
function drainSeconds(text: string | undefined): number {
  const seconds = countOption("drain-timeout", text) ?? DRAIN_SECONDS;
  const longest = DRAIN_TIMEOUT_MAX / SECOND;
  if (seconds > longest)
    throw new UsageError(`--drain-timeout must be at most ${longest} (seconds), not ${seconds}`);
  return seconds;
}

/** The key in the file; without a file, a new key. */
async function keyOf(file: string | undefined): Promise<StoredKey> {
  if (file !== undefined) return readKeyFile(file);
  return { keys: generateIdentity(), createdAt: new Date().toISOString() };
}

function peerOptions(values: Values<typeof OPTIONS>): Partial<PeerOptions> {
  const { name, capability } = values;
  const role = choiceOption("role", values.role, ROLES);
  return {
    ...handlerOptions(values),
    slots: countOption("slots", values.slots) ?? (runsTasks(values) ? 1 : 0),
    ...(values["no-prefetch"] === true && { prefetch: false }),
    ...(values["no-hops"] === true && { measureHops: false }),
    ...(name !== undefined && { name }),
    ...(role !== undefined && { role }),
    ...(capability !== undefined && { capabilities: capability }),
  };
}

/** One JSON object per line, for programs. */
function printEventJson(event: PeerEvent): void {
  const { error, ...rest } = event as PeerEvent & { error?: unknown };
  const errorField =
    error instanceof Error ? { error: error.message } : error === undefined ? {} : { error };
  printJsonLine({ ...rest, ...errorField });
}

function printEventLine(event: PeerEvent, isWorker: boolean): void {
  // The command ends with this error, and its text is printed then.
  if (event.type === "closed" && event.error !== undefined) return;
  print(eventLine(event));
  if (event.type === "ready" && !isWorker)
    note("this peer accepts no tasks, because --exec, --handler and --module are absent");
}
