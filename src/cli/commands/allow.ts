import { ROLES } from "../../protocol/messages.ts";
import { choiceOption } from "../args.ts";
import { command } from "../command.ts";
import { publicKey } from "../identifiers.ts";
import { LIMIT_DETAILS, LIMIT_OPTIONS, ownerLimits } from "../owner-limits.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "allow PUBLIC_KEY [--label TEXT] [--role ROLE]... [--readmit] [LIMITS]";

const OPTIONS = {
  ...TARGET_OPTIONS,
  ...LIMIT_OPTIONS,
  label: { type: "string" },
  role: { type: "string", multiple: true },
  readmit: { type: "boolean" },
} as const;

/** Adds a key to the allowlist. */
export const allow = command({
  usage,
  summary: "add a public key to the allowlist",
  details: [
    ["--label TEXT", "a label for people, such as the owner of the key"],
    [
      "--role ROLE",
      `a role that the peer may take (${ROLES.join(", ")}); repeatable; default: worker`,
    ],
    ["--readmit", "also undo the revocation of this key"],
    ...LIMIT_DETAILS,
    ...TARGET_DETAILS,
  ],
  examples: ['allow PUBLIC_KEY --label "render node 3" --role worker'],
  options: OPTIONS,
  arguments: ["PUBLIC_KEY"],
  run: async (values, [word = ""]) => {
    const roles = values.role?.flatMap((role) => choiceOption("role", role, ROLES) ?? []);
    const key = publicKey(word, "PUBLIC_KEY");
    const mesh = await controllerOf(values);
    const entry = await mesh.allowlist.put(key, {
      ...(values.label !== undefined && { label: values.label }),
      ...(roles !== undefined && { roles }),
      ...(values.readmit === true && { readmit: true }),
      ...ownerLimits(values),
    });
    if (values.json === true) printJson(entry);
    else print(`${entry.peer_id} may join as ${entry.roles.join(", ")}`);
    return 0;
  },
});
