import { err, ok } from "../../base/result.ts";
import { KIND_SETTINGS_MAX } from "../../protocol/constants.ts";
import type { KindSettingsView } from "../../protocol/http.ts";
import type { KindSettings } from "../../registry/kind-settings.ts";
import { done, notFound, type Handler } from "../kernel/handler.ts";
import { markWorkAvailable } from "../kernel/marks.ts";

export const listKinds: Handler<"list_kinds"> = ({ registry }) =>
  ok({ kinds: registry.kindSettings.list().map(([kind, set]) => kindSettingsView(kind, set)) });

export const getKind: Handler<"get_kind"> = ({ registry }, { kind }) => {
  const settings = registry.kindSettings.get(kind);
  return settings === null
    ? notFound("kind of this name that has settings")
    : ok(kindSettingsView(kind, settings));
};

/** Replaces the settings of a kind. The attempt timeout concerns tasks that are submitted from now on. */
export const putKind: Handler<"put_kind"> = (context, { kind, settings: body }) => {
  const { kindSettings } = context.registry;
  if (kindSettings.get(kind) === null && kindSettings.count() >= KIND_SETTINGS_MAX)
    return err({
      code: "conflict",
      detail: `${KIND_SETTINGS_MAX} kinds have settings, the limit; delete some`,
    });
  const { attempt_timeout_seconds: timeout, concurrency, rate } = body;
  const settings: KindSettings = {
    attemptTimeoutMs: timeout === null ? null : Math.round(timeout * 1_000),
    concurrency,
    rate: rate === null ? null : { perSecond: rate.per_second, burst: rate.burst },
  };
  kindSettings.put(kind, settings);
  markWorkAvailable(context);
  return ok(kindSettingsView(kind, settings));
};

export const deleteKind: Handler<"delete_kind"> = (context, { kind }) => {
  if (!context.registry.kindSettings.remove(kind))
    return notFound("kind of this name that has settings");
  markWorkAvailable(context);
  return done;
};

export const kindSettingsView = (kind: string, settings: KindSettings): KindSettingsView => ({
  kind,
  attempt_timeout_seconds:
    settings.attemptTimeoutMs === null ? null : settings.attemptTimeoutMs / 1_000,
  concurrency: settings.concurrency,
  rate:
    settings.rate === null
      ? null
      : { per_second: settings.rate.perSecond, burst: settings.rate.burst },
});
