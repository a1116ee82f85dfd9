import { MusterApiError, type KindOptions, type KindsClient } from "../../client/index.ts";
import type { KindSettingsView } from "../../protocol/http.ts";
import { action, withActions } from "../actions.ts";
import { countOption, numberOption } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf } from "../target.ts";

const list = action({
  usage: "list",
  summary: "list the kinds that have settings",
  options: {},
  arguments: [],
  run: async (values) => {
    const { kinds: client } = await controllerOf(values);
    const found = await client.list().toArray();
    if (values.json === true) printJson(found);
    else if (found.length === 0) print("no kind has settings");
    else printKinds(found);
    return 0;
  },
});

const SET_OPTIONS = {
  "attempt-timeout": { type: "string" },
  concurrency: { type: "string" },
  rate: { type: "string" },
  burst: { type: "string" },
} as const;

const set = action({
  usage: "set KIND [--attempt-timeout SECONDS] [--concurrency N] [--rate N] [--burst N]",
  summary: "change the settings of a kind; what no option names stays as it is",
  details: [
    [
      "--attempt-timeout SECONDS",
      "how long an attempt may take unless the task says otherwise, or none",
    ],
    ["--concurrency N", "how many tasks of the kind peers have at once, or none"],
    ["--rate N", "how many tasks of the kind are offered per second, or none"],
    ["--burst N", "how many may be offered at once before the rate holds; default: 1"],
  ],
  options: SET_OPTIONS,
  arguments: ["KIND"],
  run: async (values, [kind = ""]) => {
    const changes = readChanges(values);
    const { kinds: client } = await controllerOf(values);
    const changed = await client.put(kind, merged(await settingsOf(client, kind), changes));
    if (values.json === true) printJson(changed);
    else printKinds([changed]);
    return 0;
  },
});

const remove = action({
  usage: "remove KIND",
  summary: "remove the settings of a kind",
  options: {},
  arguments: ["KIND"],
  run: async (values, [kind = ""]) => {
    await (await controllerOf(values)).kinds.remove(kind);
    if (values.json === true) printJson({ kind, removed: true });
    else print(`the settings of ${kind} are removed`);
    return 0;
  },
});

const load = action({
  usage: "load KIND",
  summary: "show how many tasks of a kind wait and run, for autoscalers",
  options: {},
  arguments: ["KIND"],
  run: async (values, [kind = ""]) => {
    const found = await (await controllerOf(values)).kinds.load(kind);
    if (values.json === true) printJson(found);
    else
      print([
        `waiting    ${found.waiting} (the oldest for ${Math.round(found.oldest_wait_seconds)} s)`,
        `scheduled  ${found.scheduled}`,
        `running    ${found.running}`,
      ]);
    return 0;
  },
});

/** Lists and changes the settings of kinds of tasks. */
export const kinds = withActions("kinds", {
  summary: "list, change or remove the limits of kinds of tasks, and show what there is to do",
  examples: [
    "kinds set resize --concurrency 8 --rate 5",
    "kinds set resize --rate none",
    "kinds load resize --json",
  ],
  actions: { list, load, set, remove },
  otherwise: list,
});

/** `null` removes a setting. */
interface Changes {
  readonly attemptTimeout: number | null | undefined;
  readonly concurrency: number | null | undefined;
  readonly perSecond: number | null | undefined;
  readonly burst: number | undefined;
}

type SetValues = { readonly [Name in keyof typeof SET_OPTIONS]?: string | undefined };

function readChanges(values: SetValues): Changes {
  const { concurrency, rate, burst } = values;
  const timeout = values["attempt-timeout"];
  if ([timeout, concurrency, rate, burst].every((given) => given === undefined))
    throw new UsageError("nothing to change", "pass an option, such as --concurrency 8");
  if (rate === "none" && burst !== undefined)
    throw new UsageError("--burst belongs to a rate, and --rate none removes it", "leave it out");
  return {
    attemptTimeout: timeout === "none" ? null : numberOption("attempt-timeout", timeout),
    concurrency: concurrency === "none" ? null : countOption("concurrency", concurrency),
    perSecond: rate === "none" ? null : numberOption("rate", rate),
    burst: countOption("burst", burst),
  };
}

/** The settings of a kind; null if it has none. */
async function settingsOf(client: KindsClient, kind: string): Promise<KindSettingsView | null> {
  try {
    return await client.get(kind);
  } catch (error) {
    if (error instanceof MusterApiError && error.code === "not_found") return null;
    throw error;
  }
}

function merged(before: KindSettingsView | null, changes: Changes): KindOptions {
  const { attemptTimeout = before?.attempt_timeout_seconds ?? null } = changes;
  const { concurrency = before?.concurrency ?? null } = changes;
  const { perSecond = before?.rate?.per_second ?? null } = changes;
  const { burst = before?.rate?.burst ?? 1 } = changes;
  if (perSecond === null && changes.burst !== undefined)
    throw new UsageError("--burst belongs to a rate, and the kind has none", "pass --rate, too");
  return {
    ...(attemptTimeout !== null && { attemptTimeoutSeconds: attemptTimeout }),
    ...(concurrency !== null && { concurrency }),
    ...(perSecond !== null && { rate: { perSecond, burst } }),
  };
}

const HEADINGS = ["kind", "attempt timeout", "concurrency", "rate", "burst"];

const printKinds = (found: readonly KindSettingsView[]): void =>
  print(
    table(
      HEADINGS,
      found.map(({ kind, attempt_timeout_seconds: timeout, concurrency, rate }) => [
        kind,
        timeout === null ? "-" : `${timeout} s`,
        concurrency ?? "-",
        rate === null ? "-" : `${rate.per_second}/s`,
        rate?.burst ?? "-",
      ]),
    ),
  );
