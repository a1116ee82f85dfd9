import type { Millis } from "../../base/clock.ts";
import type { Bench } from "../check.ts";
import { beginHandshake, type HandshakeOptions } from "../mesh/handshake.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { PeerSettings } from "../ports.ts";

interface Taken extends HandshakeOptions {
  /** Changes the fields of the welcome. */
  readonly welcome?: Readonly<Record<string, unknown>>;
  /** Fields of the `mesh` in the welcome. */
  readonly meshFields?: Readonly<Record<string, unknown>>;
  readonly within?: Millis;
}

/** Starts the program and welcomes it. */
export async function join(
  bench: Bench,
  settings: PeerSettings = {},
  taken: Taken = {},
): Promise<MeshSession> {
  await bench.start(settings);
  return welcomeNext(bench, taken);
}

/** Takes the next dial through its handshake and welcomes the peer. */
export async function welcomeNext(bench: Bench, taken: Taken = {}): Promise<MeshSession> {
  const session = await handshakeNext(bench, taken);
  welcome(session, taken);
  return session;
}

/** Takes the next dial through its handshake, up to the peer's hello. */
export async function handshakeNext(
  { mesh }: Bench,
  { within = 20_000, ...options }: Taken = {},
): Promise<MeshSession> {
  const dial = await mesh.nextDial(within);
  const half = await beginHandshake(mesh, dial.accept(), options);
  return half.finish();
}

function welcome(
  session: MeshSession,
  { welcome: fields = {}, meshFields = {} }: Taken = {},
): void {
  const { publicKey } = session.mesh;
  session.send("welcome", {
    peer_id: session.peerId,
    epoch: 1,
    role: "worker",
    mesh: { id: session.meshId, name: "conformance", public_key: publicKey, ...meshFields },
    ...fields,
  });
}
