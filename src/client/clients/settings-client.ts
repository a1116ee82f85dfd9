import {
  AuthModeBody,
  DrainedMesh,
  MeshView,
  StorageView,
  type AuthMode,
} from "../../protocol/http.ts";
import type { Api } from "../http/api.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface DrainMeshOptions {
  readonly pauseSeconds?: number;
  readonly signal?: AbortSignal;
}

const DRAIN_MESH_OPTIONS: OptionNames<DrainMeshOptions> = {
  pauseSeconds: "number",
  signal: "signal",
};

/** Facts and settings of the mesh as a whole. */
export class SettingsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The mesh's name and public keys. Works without a token. */
  mesh(): Promise<MeshView> {
    return this.#api.json(MeshView, { path: "v1/mesh" });
  }

  /** How large the mesh's database is, how large it may be, and whose tasks are in it. */
  storage(): Promise<StorageView> {
    return this.#api.json(StorageView, { path: "v1/mesh/storage" });
  }

  /**
   * Ends all sessions before a restart of the mesh. The peers go on with what they run and come back in their order, after
   * `pauseSeconds` (default 0). Returns how many sessions were ended.
   */
  async drain(options: DrainMeshOptions = {}): Promise<number> {
    refuseUnknownOptions("settings.drain", options, DRAIN_MESH_OPTIONS);
    const { pauseSeconds = 0, signal } = options;
    const body = { pause_seconds: pauseSeconds };
    const request = { method: "POST", path: "v1/mesh/drain", body, signal } as const;
    return (await this.#api.json(DrainedMesh, request)).sessions;
  }

  /** Whether the mesh admits any key (`open`) or only listed ones (`allowlist`). */
  async authMode(): Promise<AuthMode> {
    return (await this.#api.json(AuthModeBody, { path: "v1/auth-mode" })).mode;
  }

  /** Changes the auth mode and returns it. */
  async setAuthMode(mode: AuthMode): Promise<AuthMode> {
    const request = { method: "PUT", path: "v1/auth-mode", body: { mode } } as const;
    return (await this.#api.json(AuthModeBody, request)).mode;
  }
}
