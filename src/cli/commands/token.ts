import { DAY, SECOND } from "../../base/clock.ts";
import type { MeshClient } from "../../client/index.ts";
import { SCOPES, TOKEN_STATES, type TokenView } from "../../protocol/http.ts";
import { action, withActions } from "../actions.ts";
import { choiceOption, numberOption } from "../args.ts";
import { UsageError } from "../failure.ts";
import { LIMIT_DETAILS, LIMIT_OPTIONS, limitsText, ownerLimits } from "../owner-limits.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { createSecret, undone } from "../private-file.ts";
import { quotedCommand } from "../command-name.ts";
import { controllerOf } from "../target.ts";

const create = action({
  usage: "create SCOPE [--label TEXT] [--days N] [--out FILE] [LIMITS]",
  summary: `create a token; SCOPE is one of ${SCOPES.join(", ")}`,
  details: [
    ["--label TEXT", "a label for people, such as the owner of the token"],
    ["--days N", "after so many days the token grants nothing; default: it does not expire"],
    [
      "--out FILE",
      "write the token to this new file, which only its owner can read, for --token-file",
    ],
    ...LIMIT_DETAILS,
  ],
  options: {
    ...LIMIT_OPTIONS,
    label: { type: "string" },
    out: { type: "string" },
    days: { type: "string" },
  },
  arguments: ["SCOPE"],
  run: async (values, [word = ""]) => {
    const scope = SCOPES.find((known) => known === word);
    if (scope === undefined)
      throw new UsageError(`SCOPE must be one of ${SCOPES.join(", ")}, not "${word}"`);
    const days = numberOption("days", values.days);
    const limits = ownerLimits(values);
    const { out, label, json = false } = values;
    const mesh = await controllerOf(values);
    const created = await createSecret(out, {
      create: () =>
        mesh.tokens.create(scope, label, {
          ...limits,
          ...(days !== undefined && { expiresSeconds: (days * DAY) / SECOND }),
        }),
      textOf: ({ token: text }) => text,
      undo: ({ id }) =>
        undone(
          () => mesh.tokens.revoke(id),
          `the token ${id} is revoked`,
          quotedCommand(`token revoke ${id}`),
        ),
    });
    if (out === undefined) printToken(created, json);
    else printTokenFile(created, out, json);
    return 0;
  },
});

type NewToken = Awaited<ReturnType<MeshClient["tokens"]["create"]>>;

function printToken(created: NewToken, json: boolean): void {
  if (json) return printJson(created);
  print(`id     ${created.id}`);
  print(`token  ${created.token}`);
  if (created.expires_at !== null) print(`valid  until ${created.expires_at}`);
  print("The token cannot be shown again.");
}

function printTokenFile({ token: _token, ...rest }: NewToken, file: string, json: boolean): void {
  if (json) return printJson({ ...rest, file });
  print(`id     ${rest.id}`);
  print(`token  in ${file}`);
  if (rest.expires_at !== null) print(`valid  until ${rest.expires_at}`);
}

const set = action({
  usage: "set ID LIMITS",
  summary: "change the limits of a token; the options are those of create",
  options: LIMIT_OPTIONS,
  arguments: ["ID"],
  run: async (values, [id = ""]) => {
    const changed = ownerLimits(values);
    if (Object.keys(changed).length === 0)
      throw new UsageError(
        "nothing to change",
        `pass a limit; ${quotedCommand("help token")} lists them`,
      );
    const mesh = await controllerOf(values);
    const { limits } = await mesh.tokens.update(id, changed);
    if (values.json === true) printJson(limits);
    else print(limitsText(limits));
    return 0;
  },
});

const list = action({
  usage: "list [--label TEXT] [--scope SCOPE] [--state STATE]",
  summary: "list the tokens besides the admin token",
  details: [
    ["--label TEXT", "only tokens whose label contains this"],
    ["--scope SCOPE", "only tokens of this scope"],
    ["--state STATE", `only tokens that are ${TOKEN_STATES.join(", ")}`],
  ],
  options: { label: { type: "string" }, scope: { type: "string" }, state: { type: "string" } },
  arguments: [],
  run: async (values) => {
    const scope = choiceOption("scope", values.scope, SCOPES);
    const state = choiceOption("state", values.state, TOKEN_STATES);
    const mesh = await controllerOf(values);
    const filter = {
      ...(scope !== undefined && { scope }),
      ...(state !== undefined && { state }),
      ...(values.label !== undefined && { label: values.label }),
    };
    const tokens = await mesh.tokens.list(filter).toArray();
    if (values.json === true) printJson(tokens);
    else if (tokens.length === 0) print("no such tokens besides the admin token");
    else print(table(HEADINGS, tokens.map(row)));
    return 0;
  },
});

const HEADINGS = ["id", "scope", "label", "limits", "created", "last used", "state"];

const row = (each: TokenView) => [
  each.id,
  each.scope,
  each.label,
  limitsText(each.limits),
  each.created_at,
  each.last_used_at ?? "never",
  stateText(each),
];

function stateText({ state, revoked_at: revoked, expires_at: expires }: TokenView): string {
  if (state === "revoked") return `revoked ${revoked ?? ""}`;
  if (state === "expired") return `expired ${expires ?? ""}`;
  return expires === null ? "active" : `active until ${expires}`;
}

const revoke = action({
  usage: "revoke ID [--keep-tasks]",
  summary: "revoke a token, at once, and cancel its tasks",
  details: [["--keep-tasks", "leave the tasks of the token"]],
  options: { "keep-tasks": { type: "boolean" } },
  arguments: ["ID"],
  run: async (values, [id = ""]) => {
    const mesh = await controllerOf(values);
    await mesh.tokens.revoke(id, { keepTasks: values["keep-tasks"] === true });
    if (values.json === true) printJson({ id, state: "revoked" });
    else print(`token ${id} is revoked`);
    return 0;
  },
});

/** Creates, lists and revokes API tokens. */
export const token = withActions("token", {
  summary: "create, change, list or revoke API tokens",
  examples: [
    "token create controller --label ci --days 90 --out ci.token",
    "token list --state active",
  ],
  actions: { create, set, list, revoke },
});
