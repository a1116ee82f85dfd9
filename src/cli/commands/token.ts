import { DAY, SECOND } from "../../base/clock.ts";
import { SCOPES, TOKEN_STATES, type TokenView } from "../../protocol/http.ts";
import { choiceOption, numberOption, readArgs, type Command, wrongArguments } from "../args.ts";
import { UsageError } from "../failure.ts";
import { LIMIT_DETAILS, LIMIT_OPTIONS, limitsText, ownerLimits } from "../owner-limits.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { createInto } from "../private-file.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage =
  "token create SCOPE [--label TEXT] [--days N] [--out FILE] [LIMITS] | set ID LIMITS | list | revoke ID";

const ACTIONS = { create: 1, set: 1, list: 0, revoke: 1 };

/** Creates, lists and revokes API tokens. */
export const token: Command = {
  usage,
  summary: "create, change, list or revoke API tokens",
  details: [
    ["SCOPE", `one of ${SCOPES.join(", ")}`],
    [
      "--label TEXT",
      "a label for people, such as the owner of the token; with list: only labels that contain it",
    ],
    ["--days N", "after so many days the token grants nothing; default: it does not expire"],
    ["--scope SCOPE", "with list: only tokens of this scope"],
    ["--state STATE", `with list: only tokens that are ${TOKEN_STATES.join(", ")}`],
    [
      "--out FILE",
      "write the token to this new file, which only its owner can read, for --token-file",
    ],
    ["--keep-tasks", "with revoke: leave the tasks of the token; without it they are cancelled"],
    ...LIMIT_DETAILS,
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = {
      ...TARGET_OPTIONS,
      ...LIMIT_OPTIONS,
      label: { type: "string" },
      out: { type: "string" },
      days: { type: "string" },
      scope: { type: "string" },
      state: { type: "string" },
      "keep-tasks": { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, options, { min: 1, max: 2, usage });
    const [action, word] = positionals;
    const mesh = await controllerOf(values);
    if (action === "create" && word !== undefined) {
      const scope = SCOPES.find((known) => known === word);
      if (scope === undefined)
        throw new UsageError(`SCOPE must be one of ${SCOPES.join(", ")}, not "${word}"`);
      const days = numberOption("days", values.days);
      const create = () =>
        mesh.tokens.create(scope, values.label, {
          ...ownerLimits(values),
          ...(days !== undefined && { expiresSeconds: (days * DAY) / SECOND }),
        });
      const { out } = values;
      if (out !== undefined) {
        const { token: _token, ...rest } = await createInto(out, create, ({ token: text }) => text);
        if (values.json === true) printJson({ ...rest, file: out });
        else {
          print(`id     ${rest.id}`);
          print(`token  in ${out}`);
          if (rest.expires_at !== null) print(`valid  until ${rest.expires_at}`);
        }
        return 0;
      }
      const created = await create();
      if (values.json === true) printJson(created);
      else {
        print(`id     ${created.id}`);
        print(`token  ${created.token}`);
        if (created.expires_at !== null) print(`valid  until ${created.expires_at}`);
        print("The token cannot be shown again.");
      }
      return 0;
    }
    if (action === "set" && word !== undefined) {
      const { limits } = await mesh.tokens.update(word, ownerLimits(values));
      if (values.json === true) printJson(limits);
      else print(limitsText(limits));
      return 0;
    }
    if (action === "list" && word === undefined) {
      const scope = choiceOption("scope", values.scope, SCOPES);
      const state = choiceOption("state", values.state, TOKEN_STATES);
      const filter = {
        ...(scope !== undefined && { scope }),
        ...(state !== undefined && { state }),
        ...(values.label !== undefined && { label: values.label }),
      };
      const tokens = await mesh.tokens.list(filter).toArray();
      if (values.json === true) printJson(tokens);
      else if (tokens.length === 0) print("no such tokens besides the admin token");
      else {
        const rows = tokens.map((each) => [
          each.id,
          each.scope,
          each.label,
          limitsText(each.limits),
          each.created_at,
          each.last_used_at ?? "never",
          stateText(each),
        ]);
        print(table(["id", "scope", "label", "limits", "created", "last used", "state"], rows));
      }
      return 0;
    }
    if (action === "revoke" && word !== undefined) {
      await mesh.tokens.revoke(word, { keepTasks: values["keep-tasks"] === true });
      print(`token ${word} is revoked`);
      return 0;
    }
    throw wrongArguments(positionals, ACTIONS, usage);
  },
};

function stateText({ state, revoked_at: revoked, expires_at: expires }: TokenView): string {
  if (state === "revoked") return `revoked ${revoked ?? ""}`;
  if (state === "expired") return `expired ${expires ?? ""}`;
  return expires === null ? "active" : `active until ${expires}`;
}
