import type { ScriptedMesh } from "./mesh/scripted-mesh.ts";
import type { PeerProgram, PeerSettings } from "./ports.ts";

/** `must`: a peer without it loses work, is ended by the mesh, or can be deceived. `should`: it works, and less well. */
export const LEVELS = ["must", "should"] as const;
export type Level = (typeof LEVELS)[number];

/** `core`: what the least useful peer needs. `full`: all that docs/protocol.md asks of a peer. */
export const SUBSETS = ["core", "full"] as const;
export type Subset = (typeof SUBSETS)[number];

/** What one check has for itself: a mesh on a port of its own, and the program under test. */
export interface Bench {
  readonly mesh: ScriptedMesh;
  /** The name and the kinds that the program is told. */
  readonly name: string;
  /** The public key of MUSTER_PRIVATE_KEY, in hex. */
  readonly publicKey: string;
  readonly kinds: readonly string[];
  /** Starts the program with the URL of `mesh`. Each call starts a further process; `asPeer` gives it another peer's key. */
  start(settings?: PeerSettings, asPeer?: "another"): Promise<PeerProgram>;
}

/** What is known of a check without running it. */
export interface CheckInfo {
  /** Stable: a report of an older kit can be compared by it. */
  readonly id: string;
  readonly level: Level;
  readonly subset: Subset;
  /** What holds of a peer that passes, as one sentence. */
  readonly statement: string;
  /** The heading in docs/protocol.md, or in docs/go-p2p.md, that describes it. */
  readonly section: string;
  /** About how long it takes. Long checks start first. */
  readonly seconds: number;
}

export interface Check extends CheckInfo {
  readonly run: (bench: Bench) => Promise<void>;
}

type Given = Partial<Pick<Check, "level" | "subset" | "seconds">> & Pick<Check, "run">;

/** A check of a group, with the defaults `must`, `core` and one second. */
export const check = (id: string, section: string, statement: string, given: Given): Check => ({
  id,
  section,
  statement,
  level: "must",
  subset: "core",
  seconds: 1,
  ...given,
});
