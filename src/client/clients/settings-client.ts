import { HOUR, MINUTE, type Millis } from "../../base/clock.ts";
import type { z } from "zod";
import { fromUtf8, type Bytes } from "../../base/bytes.ts";
import type {
  AuthMode,
  BeginImportBody,
  ImportView,
  MeshView,
  StorageView,
} from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { MusterApiError } from "../errors.ts";
import { ANSWER_BYTES_MAX } from "../timings.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface DrainMeshOptions {
  readonly pauseSeconds?: number;
  readonly signal?: AbortSignal;
}

const DRAIN_MESH_OPTIONS: OptionNames<DrainMeshOptions> = {
  pauseSeconds: "number",
  signal: "signal",
};

export interface MetricsOptions {
  /** Default: `prometheus`, the text format that `promtool` reads. */
  readonly format?: "prometheus" | "openmetrics";
  readonly signal?: AbortSignal;
}

const METRICS_OPTIONS: OptionNames<MetricsOptions> = { format: "string", signal: "signal" };

export interface ExportMeshOptions {
  readonly signal?: AbortSignal;
}

const EXPORT_MESH_OPTIONS: OptionNames<ExportMeshOptions> = { signal: "signal" };

type BeginImport = z.input<typeof BeginImportBody>;

/** How long a part, or the commit of an import, may take. */
const IMPORT_TIMEOUT: Millis = 5 * MINUTE;
/** How long an export may take: as long as the mesh keeps it. */
const EXPORT_TIMEOUT: Millis = HOUR;

/** Facts and settings of the mesh as a whole. */
export class SettingsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The mesh's name and public keys. Works without a token. */
  mesh(): Promise<MeshView> {
    return this.#api.json(answer("MeshView"), { path: "v1/mesh" });
  }

  /** How large the mesh's database is, how large it may be, and whose tasks are in it. */
  storage(): Promise<StorageView> {
    return this.#api.json(answer("StorageView"), { path: "v1/mesh/storage" });
  }

  /** The metrics of the mesh in the text format of Prometheus, or in OpenMetrics 1.0 (docs/metrics.md). */
  async metrics(options: MetricsOptions = {}): Promise<string> {
    refuseUnknownOptions("settings.metrics", options, METRICS_OPTIONS);
    const { format = "prometheus", signal } = options;
    const accept = format === "openmetrics" ? "application/openmetrics-text" : "text/plain";
    const request = { path: "metrics", headers: { accept }, signal };
    const { bytes } = await this.#api.content(request, ANSWER_BYTES_MAX);
    const text = fromUtf8(bytes);
    // Both formats begin with what describes the first metric.
    if (text?.startsWith("# ") === true) return text;
    const what = text === null ? "not UTF-8" : "no metrics";
    const detail = `this is no Muster mesh: its answer to /metrics is ${what}`;
    throw new MusterApiError("invalid_response", 200, detail);
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
    return (await this.#api.json(answer("DrainedMesh"), request)).sessions;
  }

  /**
   * A backup of the mesh as it is now, without its secrets, as a stream (docs/backup.md). A stream that ends without an error is a
   * whole backup only if its last line is there: `muster backup --verify` checks a file.
   */
  async exportMesh(options: ExportMeshOptions = {}): Promise<ReadableStream<Uint8Array>> {
    refuseUnknownOptions("settings.exportMesh", options, EXPORT_MESH_OPTIONS);
    const { signal } = options;
    // A retry would begin another export while the first is under way.
    const request = { path: "v1/export", timeout: EXPORT_TIMEOUT, idempotent: false, signal };
    const { body } = await this.#api.response(request);
    return body ?? new Blob([]).stream();
  }

  /** Begins to import a backup into an empty mesh, or continues the import of the same backup (docs/backup.md). */
  beginImport(backup: BeginImport): Promise<ImportView> {
    const request = { method: "POST", path: "v1/imports", body: backup, idempotent: true } as const;
    return this.#api.json(answer("ImportView"), request);
  }

  /** Sends a part of a backup, the first with number 1. `sha256` is its digest in base64. */
  async putImportPart(id: string, part: number, bytes: Bytes, sha256: string): Promise<ImportView> {
    // Few pages import backups, and all would load it.
    const { contentDigest } = await import("../../protocol/content-digest.ts");
    return this.#api.json(answer("ImportView"), {
      method: "PUT",
      path: `v1/imports/${segment(id)}/parts/${part}`,
      content: { type: "application/octet-stream", bytes },
      headers: { "Content-Digest": contentDigest(sha256) },
      timeout: IMPORT_TIMEOUT,
    });
  }

  /**
   * Makes what has arrived the state of the mesh. Goes on while the mesh does not answer, as when it is busy with a large backup: a commit
   * that is repeated is answered alike.
   */
  commitImport(id: string, parts: number): Promise<ImportView> {
    return this.#api.json(answer("ImportView"), {
      method: "POST",
      path: `v1/imports/${segment(id)}/commit`,
      body: { parts },
      idempotent: true,
      timeout: IMPORT_TIMEOUT,
      outageMs: IMPORT_TIMEOUT,
    });
  }

  /** Ends an import, and removes what has arrived. */
  async endImport(id: string): Promise<void> {
    await this.#api.remove(`v1/imports/${segment(id)}`);
  }

  /** Whether the mesh admits any key (`open`) or only listed ones (`allowlist`). */
  async authMode(): Promise<AuthMode> {
    return (await this.#api.json(answer("AuthModeBody"), { path: "v1/auth-mode" })).mode;
  }

  /** Changes the auth mode and returns it. */
  async setAuthMode(mode: AuthMode): Promise<AuthMode> {
    const request = { method: "PUT", path: "v1/auth-mode", body: { mode } } as const;
    return (await this.#api.json(answer("AuthModeBody"), request)).mode;
  }
}
