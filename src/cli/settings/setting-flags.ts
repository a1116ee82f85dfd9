import type { Details } from "../args.ts";
import { SECRETS, secretFileSetting } from "./secret-settings.ts";
import { SETTINGS, type Setting } from "./settings-table.ts";

/** Every setting that is a flag. */
const FLAGS: readonly Setting[] = [...SETTINGS, ...SECRETS.map(secretFileSetting)];

/** The flags of all settings, for `readArgs`. */
export const SETTING_OPTIONS: Readonly<Record<string, { readonly type: "string" }>> =
  Object.fromEntries(FLAGS.map(({ flag }) => [flag, { type: "string" }]));

const detailOf = ({ flag, value, meaning }: Setting): Details[number] => [
  `--${flag} ${value}`,
  meaning,
];

export const HOST_DETAILS: Details = SETTINGS.filter((setting) => setting.of === "host").map(
  detailOf,
);
export const WORKER_DETAILS: Details = SETTINGS.filter((setting) => setting.of === "worker").map(
  detailOf,
);

/** The settings that are given as flags, by their names. */
export const givenSettings = (
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    FLAGS.flatMap(({ name, flag }) => {
      const value = values[flag];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
