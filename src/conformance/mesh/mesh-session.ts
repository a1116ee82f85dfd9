import type { Channel } from "../session/channel.ts";
import type { FrameSocket } from "../session/frame-socket.ts";
import { MessageSession } from "../session/message-session.ts";
import type { ScriptedMesh } from "./scripted-mesh.ts";

interface MeshSessionOptions {
  readonly mesh: ScriptedMesh;
  readonly socket: FrameSocket;
  readonly channel: Channel;
  /** The ID of the key that the mesh has proved. */
  readonly meshId: string;
  readonly peerId: string;
  /** The key that the peer has proved, in hex. */
  readonly publicKey: string;
  readonly helloText: string;
}

/** A session of the peer under test, from the side of the mesh. */
export class MeshSession extends MessageSession {
  readonly mesh: ScriptedMesh;
  readonly publicKey: string;
  readonly helloText: string;

  constructor({ mesh, socket, channel, meshId, peerId, publicKey, helloText }: MeshSessionOptions) {
    const { log, random } = mesh;
    const ids = { ownId: meshId, otherId: peerId };
    super({ socket, channel, ...ids, log, random, now: () => mesh.now });
    this.mesh = mesh;
    this.publicKey = publicKey;
    this.helloText = helloText;
  }

  get meshId(): string {
    return this.ownId;
  }

  get peerId(): string {
    return this.otherId;
  }
}
