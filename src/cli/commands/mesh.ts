import { MusterApiError, type SettingsClient } from "../../client/index.ts";
import type { StorageView } from "../../protocol/http.ts";
import { action, withActions } from "../actions.ts";
import { numberOption } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf } from "../target.ts";
import { AUTH_MODE } from "./auth-mode.ts";

const STATE_TEXTS: { readonly [State in StorageView["state"]]: string } = {
  ok: "",
  making_room: ": the oldest ended tasks are being removed",
  full: ": no task is accepted until there is room",
};

function printStorage({ used_bytes: used, limit_bytes: limit, state }: StorageView): void {
  const share = Math.round((100 * used) / limit);
  print(
    `storage        ${megabytes(used)} of ${megabytes(limit)} MB (${share} %)${STATE_TEXTS[state]}`,
  );
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** The use of storage; null for a caller without a token that may see it. */
async function storageOf(settings: SettingsClient): Promise<StorageView | null> {
  try {
    return await settings.storage();
  } catch (thrown) {
    if (thrown instanceof MusterApiError && [401, 403, 404].includes(thrown.status)) return null;
    throw thrown;
  }
}

const show = action({
  usage: "show",
  summary: "print the name, the keys and the use of storage of the mesh",
  options: {},
  arguments: [],
  run: async (values) => {
    const { settings } = await controllerOf(values);
    const view = await settings.mesh();
    const storage = await storageOf(settings);
    if (values.json === true) printJson({ ...view, ...(storage !== null && { storage }) });
    else {
      print(`name           ${view.name}`);
      if (view.public_url !== undefined) print(`public URL     ${view.public_url}`);
      print(`mesh key       ${view.public_key}`);
      print(`ID             ${view.id}`);
      print(`discovery key  ${view.discovery_key}`);
      print(`signing key    ${view.signing_key}`);
      print(`protocols      ${view.protocols.join(", ")}`);
      if (storage !== null) printStorage(storage);
    }
    return 0;
  },
});

const drain = action({
  usage: "drain [--pause SECONDS]",
  summary: "end all sessions; the peers continue their tasks and reconnect at random times",
  details: [["--pause SECONDS", "how long they wait before they reconnect; default: 0"]],
  options: { pause: { type: "string" } },
  arguments: [],
  run: async (values) => {
    const pauseSeconds = numberOption("pause", values.pause);
    const { settings } = await controllerOf(values);
    const sessions = await settings.drain(pauseSeconds === undefined ? {} : { pauseSeconds });
    if (values.json === true) printJson({ sessions });
    else print(`ended ${sessions} ${sessions === 1 ? "session" : "sessions"}`);
    return 0;
  },
});

const authModeAction = action(AUTH_MODE);

/** Prints the name, the keys and the use of storage of a mesh, shows or sets who may join, or drains it before a restart. */
export const mesh = withActions("mesh", {
  summary: "show the name, keys and storage of the mesh; show or set its auth mode; drain it",
  examples: ["mesh", "mesh auth-mode allowlist"],
  actions: { show, drain, "auth-mode": authModeAction },
  otherwise: show,
});
