/** What the folder `server/`, which is the npm package `muster-mesh-server`, gives the command line: it runs a mesh. */
import type { LookupAddress } from "node:dns";
import type { LogLine } from "../base/log/log-line.ts";
import type { AuthMode } from "../protocol/http.ts";
import type { StateFolder } from "./state-folder.ts";

export interface MeshOptions {
  /** The state folder. */
  readonly dir: string;
  readonly host?: string;
  /** 0 selects a free port. */
  readonly port: number;
  /**
   * Whether the mesh is for trying out: on a loopback address it is open, pages of this machine may use it, and the budgets of an address, which all peers
   * of a machine share, are wide. Default: true.
   */
  readonly isLocal?: boolean;
  /** Variables of the Worker. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Secrets of the Worker; if there are none, the mesh makes its own and keeps them in its folder. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Where settings were set, by their names, for errors. */
  readonly sources?: MeshSettings["sources"];
  /** The files of the TLS certificate and its key; without them the mesh speaks HTTP. */
  readonly tls?: TlsFiles | null;
  /** Connections that one address may have open. Default: 4,000; a mesh for trying out: any number. */
  readonly connectionsPerAddress?: number | undefined;
  /** A file in MaxMind's format that locates peers by their address; without it their locations are unknown. */
  readonly geoipDatabase?: string | undefined;
  /** Resolves the names of the URLs that the mesh calls; default: the resolver of the system. */
  readonly resolve?: ((name: string) => Promise<readonly LookupAddress[]>) | undefined;
  /** The mesh key that the mesh must prove, if a rotation has replaced the one in its secrets. */
  readonly meshKey?: string;
  /** Called with each line that the mesh logs, from the level `LOG_LEVEL` on (default: `warn` of a mesh for trying out, else `info`). */
  readonly onLog?: (line: LogLine) => void;
  /** Aborts the start: `startMesh` then ends what it started and rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A mesh on plain workerd, which is a child process of this process. */
export interface MeshProcess {
  readonly url: string;
  /** Where others reach it, if the operator says so. */
  readonly publicUrl: string | null;
  readonly adminToken: string;
  /** The public key of the mesh, in hex. */
  readonly meshKey: string;
  /** The auth mode in force when it started. */
  readonly authMode: AuthMode;
  readonly folder: StateFolder;
  /** The PID of workerd, which leads a process group of its own. */
  readonly pid: number | undefined;
  /** Resolves when workerd has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Tells the peers that the mesh restarts: they go on with their tasks, and come back at the times that they are told. */
  drain(): Promise<void>;
  /** Reads the TLS files again; if they can't be used, says so and keeps the certificate. */
  reloadTls(): Promise<void>;
  /** Ends the mesh and every process that it started. */
  stop(): Promise<void>;
}

/** Where the settings of a mesh come from. */
export interface SettingSources {
  /** By the names of the settings. */
  readonly flags: Readonly<Record<string, string>>;
  /** What the user wrote in place of a setting's own flag, by the name of the setting: `--ip`, `--json`. */
  readonly flagNames?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The settings of a mesh, as far as they are given. */
export interface MeshSettings {
  readonly host: string | undefined;
  readonly port: number;
  readonly dir: string;
  readonly log: "text" | "json";
  readonly connectionsPerAddress: number | undefined;
  readonly geoipDatabase: string | undefined;
  readonly tls: TlsFiles | null;
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Where each was set, by its name, for errors that are found later: `--port`, `the variable MUSTER_PORT`, `port in line 3 of muster.toml`. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface ServerModule {
  /** Reads the settings from flags, the environment and `muster.toml`. */
  readonly readSettings: (sources: SettingSources) => Promise<MeshSettings>;
  /** Starts a mesh on workerd, with its state in `dir`. Resolves when the mesh answers requests. */
  readonly startMesh: (options: MeshOptions) => Promise<MeshProcess>;
}
