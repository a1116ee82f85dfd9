import { toRfc3339 } from "../../base/clock.ts";
import { LOG_EVENTS, type LogEvent } from "../../base/log/log-events.ts";
import { orAborted } from "../abort.ts";
import { command } from "../command.ts";
import { describeError, errorJson, Failure, UsageError } from "../failure.ts";
import { environment } from "../environment.ts";
import { noteJsonLine, OutputEnded, outputIsLog } from "../output.ts";
import type { MeshSettings } from "../server-module.ts";
import { loadServer } from "../server-package.ts";
import { serverLog } from "../server-log.ts";
import {
  givenSettings,
  HOST_DETAILS,
  SETTING_OPTIONS,
  WORKER_DETAILS,
} from "../settings/setting-flags.ts";
import { onStopSignal, Stopped } from "../signals.ts";

const usage = "serve [--host ADDRESS] [--port N] [--dir FOLDER] [--SETTING VALUE]...";

const OPTIONS = { ...SETTING_OPTIONS, json: { type: "boolean" } } as const;

/** Runs a mesh for real use, until a signal ends it. */
export const serve = command({
  usage,
  summary: "run a mesh for real use on this machine: an allowlist, settings, TLS, log lines",
  details: [
    ...HOST_DETAILS,
    ["--NAME-file FILE", "the file with the secret NAME, such as --admin-token-file"],
    ...WORKER_DETAILS,
    ["--json", "the same as --log json"],
  ],
  examples: ["serve --dir /srv/mesh --port 8787 --log json"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const form = { isJson: logsJson(values) };
    const logEnds = outputIsLog();
    try {
      return await runMesh(values, ({ log }) => (form.isJson = log === "json"));
    } catch (error) {
      if (!form.isJson || error instanceof OutputEnded) throw error;
      return tellOnLog(error);
    } finally {
      logEnds();
    }
  },
});

async function runMesh(
  values: Readonly<Record<string, unknown>>,
  onSettings: (settings: MeshSettings) => void,
): Promise<number> {
  const { readSettings, startMesh } = await loadServer();
  const settings = await readSettings({ flags: flagsOf(values), env: process.env });
  onSettings(settings);
  const log = serverLog(settings.log, () => Date.now(), settings.variables["LOG_LEVEL"]);
  const stopping = new AbortController();
  // With TLS, SIGHUP means that there is a new certificate.
  const signals = settings.tls === null ? undefined : (["SIGINT", "SIGTERM"] as const);
  onStopSignal(
    (reason) => stopping.abort(reason),
    ({ exitCode }) => process.exit(exitCode),
    signals,
  );
  const mesh = await startMesh({
    ...settings,
    isLocal: false,
    onLog: (line) => log.pass(line),
    signal: stopping.signal,
  });
  const reload = () => void mesh.reloadTls();
  if (settings.tls !== null) process.on("SIGHUP", reload);
  try {
    const { url, publicUrl, meshKey: mesh_key, authMode: auth_mode, folder } = mesh;
    log.write("mesh.started", {
      url,
      public_url: publicUrl,
      mesh_key,
      auth_mode,
      folder: folder.root,
    });
    await orAborted(mesh.exited, stopping.signal);
    throw new Failure("the mesh ended unexpectedly");
  } catch (error) {
    if (!(error instanceof Stopped || error instanceof OutputEnded)) throw error;
    log.write("mesh.stopping", { reason: error.message });
  } finally {
    process.off("SIGHUP", reload);
    await mesh.drain();
    await mesh.stop();
  }
  log.write("mesh.stopped", {});
  return 0;
}

/** Whether the log is JSON, as far as that can be known before the settings are read. */
const logsJson = (values: Readonly<Record<string, unknown>>): boolean =>
  values["json"] === true ||
  (givenSettings(values)["MUSTER_LOG"] ?? environment("MUSTER_LOG")) === "json";

/** An error as a line of the log, on stderr: who collects JSON lines reads it like the others. Returns the exit code. */
function tellOnLog(error: unknown): number {
  const told = errorJson(error);
  const event: LogEvent = "mesh.failed";
  noteJsonLine({
    time: toRfc3339(Date.now()),
    level: LOG_EVENTS[event].level,
    event,
    error: told["message"],
    ...told,
  });
  return describeError(error).exitCode;
}

/** `--json` is a short form of a setting. */
function flagsOf(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const given = givenSettings(values);
  if (values["json"] !== true) return given;
  const form = given["MUSTER_LOG"] ?? "json";
  if (form !== "json")
    throw new UsageError(`--json contradicts --log ${form}`, "leave one of them out");
  return { ...given, MUSTER_LOG: form };
}
