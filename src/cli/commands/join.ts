import { stat } from "node:fs/promises";
import { connectPeer, type Peer, type PeerEvent, type PeerOptions } from "../../client/index.ts";
import { SECOND } from "../../base/clock.ts";
import { DRAIN_TIMEOUT_MAX } from "../../protocol/drain-limits.ts";
import { PROTOCOLS } from "../../protocol/http.ts";
import { ROLES } from "../../protocol/messages.ts";
import { choiceOption, countOption, type Values } from "../args.ts";
import { command } from "../command.ts";
import { apiBase } from "../../client/urls.ts";
import { Failure, UsageError } from "../failure.ts";
import { unreadableInput } from "../files.ts";
import { readKeyFile } from "../key-file.ts";
import {
  FIRST_CONNECTION_MS,
  FirstConnection,
  type Unreachable,
} from "../join/first-connection.ts";
import { OutageLines } from "../join/outage-lines.ts";
import { newKey, storedPeerKey, type PeerKey } from "../join/peer-key.ts";
import {
  HANDLER_DETAILS,
  HANDLER_OPTIONS,
  handlerOptions,
  runsTasks,
} from "../join/handler-options.ts";
import { note, outputIsLog, print, printJsonLine } from "../output.ts";
import { pinnedConnection, rememberMeshKey } from "../pin.ts";
import { onStopSignal } from "../signals.ts";
import { readSecret, secretDetails } from "../secrets.ts";
import { defaultFolder } from "../state-folder.ts";
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
  retry: { type: "boolean" },
} as const;

const STOPPED = "stopped by its user";
/** How long running tasks may take after the first signal, in seconds. */
const DRAIN_SECONDS = 60;

/** Joins a mesh as a peer, until the user stops it or the mesh rejects it. */
export const join = command({
  usage,
  summary: "join a mesh as a peer; with --exec, --handler or --module, run its tasks",
  details: [
    ...HANDLER_DETAILS,
    [
      "--key-file FILE",
      "the key of the peer, from `muster keygen`; default: a new key, kept if it joins by a join key",
    ],
    [
      "--retry",
      `keep trying until the mesh is there, for services; default: exit code 3 after ${FIRST_CONNECTION_MS / 1_000} s`,
    ],
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
  examples: [
    "join --exec 'wc -c'",
    "join --link-file lab.link --key-file key.json --module handlers.js",
  ],
  options: OPTIONS,
  arguments: ["[URL or LINK]"],
  run: async (values, positionals) => {
    const timeoutSeconds = drainSeconds(values["drain-timeout"]);
    expectWork(values);
    await expectModule(values.module);
    const target = await peerTargetOf(values, positionals[0]);
    const joinKey = await readSecret("join-key", {
      value: values.key,
      file: values["join-key-file"],
    });
    const pin = await pinnedConnection(target, values["mesh-key"]);
    if (pin.joinKey !== undefined && (values.key ?? values["join-key-file"]) !== undefined)
      throw new UsageError(
        "the join key is given twice: the link has one, too",
        "leave --key and --join-key-file out, or join by the URL with --mesh-key",
      );
    if (joinKey !== undefined && pin.meshKey === undefined)
      throw new UsageError(
        "a join key is sent only to a mesh whose key is known",
        "pass --mesh-key, or join by a link, which has both: --link-file",
      );
    const protocol = choiceOption("protocol", values.protocol, PROTOCOLS);
    const key = await keyOf(values, pin.url, (joinKey ?? pin.joinKey) !== undefined);
    const tell = values.json === true ? printEventJson : eventPrinter(runsTasks(values));
    let unreachable: Unreachable | null = null;
    const firstConnection = new FirstConnection({
      url: apiBase(pin.url),
      state: () => peer.state,
      giveUp: (failure) => {
        unreachable = failure;
        void peer.close(failure.message);
      },
    });
    if (values.retry === true) firstConnection.stop();
    const logEnds = outputIsLog();
    let keptIn = values["key-file"] === undefined ? key.path : null;
    const onEvent = (event: PeerEvent): void => {
      // Not before: a key that the mesh does not admit is of no use.
      if (event.type === "ready" && keptIn !== null) noteKept(keptIn);
      if (event.type === "ready") keptIn = null;
      if (!firstConnection.observe(event) && unreachable === null) tell(event);
    };
    const peer: Peer = connectPeer({
      ...pin,
      privateKey: key.keys,
      createdAt: key.createdAt,
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
      ({ exitCode }) => void peer.close(STOPPED).then(() => process.exit(exitCode)),
    );
    try {
      await Promise.all([peer.closed, remembering]);
    } finally {
      firstConnection.stop();
      logEnds();
      await key.release();
    }
    if (unreachable !== null) throw unreachable as Unreachable;
    return 0;
  },
});

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

const noRelease = (): Promise<void> => Promise.resolve();

/** The key in the file; without a file, the one that the state folder keeps, or a new key. With a join key that is kept there. */
async function keyOf(
  values: Values<typeof OPTIONS>,
  url: string,
  hasJoinKey: boolean,
): Promise<PeerKey> {
  const file = values["key-file"];
  if (file !== undefined) return { ...(await readKeyFile(file)), path: file, release: noRelease };
  try {
    const kept = await storedPeerKey(values.dir ?? defaultFolder(), url, hasJoinKey);
    if (kept !== null) return kept;
  } catch (error) {
    if (!(error instanceof Failure) || !hasJoinKey) throw error;
    // A join key is for machines without a disk, too.
    note(`${error.message}, so the key of this peer is not kept: the next join is another peer`);
  }
  return { ...newKey(), path: null, release: noRelease };
}

const noteKept = (path: string): void =>
  note(
    `the key of this peer is kept in ${path}; the next \`join\` of this mesh from here uses it, and elsewhere --key-file does`,
  );

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

function eventPrinter(isWorker: boolean): (event: PeerEvent) => void {
  const lines = new OutageLines(() => performance.now());
  return (event) => {
    // The command ends with this error, and its text is printed then.
    if (event.type === "closed" && event.error !== undefined) return;
    const text = lines.line(event);
    if (text !== null) print(text);
    if (event.type === "ready" && !isWorker)
      note("this peer accepts no tasks, because --exec, --handler and --module are absent");
  };
}
