import { toHex } from "../../base/bytes.ts";
import { connectPeer, type KeyPair, type Peer } from "../../client/index.ts";
import { apiBase } from "../../client/urls.ts";
import { command } from "../command.ts";
import { eventLine } from "../event-line.ts";
import { FirstConnection, type Unreachable } from "../join/first-connection.ts";
import { note, print, printJson } from "../output.ts";
import { pinnedConnection } from "../pin.ts";
import { replaceKey } from "../replace-key.ts";
import { secretDetails } from "../secrets.ts";
import { PEER_TARGET_DETAILS, PEER_TARGET_OPTIONS, peerTargetOf } from "../target.ts";

/** A peer that gives up as `muster join` does if the mesh can't be reached: then `ready` rejects with the reason. */
function connectOnce(
  pin: Awaited<ReturnType<typeof pinnedConnection>>,
  privateKey: KeyPair,
): Pick<Peer, "ready" | "rotate" | "close"> {
  let unreachable: Unreachable | null = null;
  const first = new FirstConnection({
    url: apiBase(pin.url),
    state: () => peer.state,
    hasRetry: false,
    giveUp: (failure) => {
      unreachable = failure;
      void peer.close(failure.message);
    },
  });
  const peer = connectPeer({
    ...pin,
    privateKey,
    slots: 0,
    onEvent: (event) => {
      if (!first.observe(event) && unreachable === null) note(eventLine(event));
    },
  });
  const ready = peer.ready
    .catch((error: unknown) => {
      throw unreachable ?? error;
    })
    .finally(() => first.stop());
  return {
    ready,
    rotate: (keys) => peer.rotate(keys),
    close: (reason) => peer.close(reason),
  };
}

const usage = "rotate [URL|LINK] [--link-file FILE] --key-file FILE";

const OPTIONS = {
  ...PEER_TARGET_OPTIONS,
  "key-file": { type: "string", default: "muster-key.json" },
  "link-file": { type: "string" },
  "mesh-key": { type: "string" },
} as const;

/** Replaces the key of a peer. */
export const rotate = command({
  usage,
  summary: "replace the key of a peer; the peer keeps its record and its rights",
  details: [
    ["--key-file FILE", "the key file; it receives the new key, and FILE.old keeps the old one"],
    ["--mesh-key HEX", "the public key that the mesh must prove"],
    ...secretDetails("link", "a link: URL and key of the mesh"),
    ...PEER_TARGET_DETAILS,
  ],
  examples: ["rotate https://mesh.example --key-file lab-key.json"],
  options: OPTIONS,
  arguments: ["[URL or LINK]"],
  run: async (values, positionals) => {
    const target = await peerTargetOf(values, positionals[0]);
    const pin = await pinnedConnection(target, values["mesh-key"]);
    const { keys: fresh, file } = await replaceKey(values["key-file"], (privateKey) =>
      connectOnce(pin, privateKey),
    );
    const publicKey = toHex(fresh.publicKey);
    if (values.json === true) {
      printJson({ id: fresh.id, public_key: publicKey, file, old_file: `${file}.old` });
      return 0;
    }
    print(`peer ID     ${fresh.id}`);
    print(`public key  ${publicKey}`);
    print(`key file    ${file} (the old key, now revoked, is in ${file}.old)`);
    return 0;
  },
});
