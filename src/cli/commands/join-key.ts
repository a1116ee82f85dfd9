import { controller } from "../../client/index.ts";
import { ROLES } from "../../protocol/messages.ts";
import {
  choiceOption,
  countOption,
  numberOption,
  readArgs,
  type Command,
  wrongArguments,
} from "../args.ts";
import { joinCommand, withFile, withVariable, type JoinCommand } from "../join-command.ts";
import { counted, print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { createInto } from "../private-file.ts";
import { targetOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage =
  "join-key create [--label TEXT] [--role ROLE]... [--uses N] [--days N] [--out FILE] | list | revoke ID";

const ACTIONS = { create: 0, list: 0, revoke: 1 };
const SECONDS_PER_DAY = 86_400;

const OPTIONS = {
  ...TARGET_OPTIONS,
  label: { type: "string" },
  role: { type: "string", multiple: true },
  uses: { type: "string" },
  days: { type: "string" },
  out: { type: "string" },
} as const;

/** Creates, lists and revokes join keys. */
export const joinKey: Command = {
  usage,
  summary: "create, list or revoke join keys, which add peers to the allowlist",
  details: [
    ["--label TEXT", "a label for people; the allowlist entries that the key adds carry it"],
    [
      "--role ROLE",
      `a role that the peers may take (${ROLES.join(", ")}); repeatable; default: worker`,
    ],
    ["--uses N", "how many peers the key admits; default: 1"],
    ["--days N", "how long the key is valid; default: 7"],
    [
      "--out FILE",
      "write the link, or the join key, to this new file, which only its owner can read",
    ],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 2, usage });
    const [action, id] = positionals;
    const { url, token } = await targetOf(values);
    const mesh = controller({ url, ...(token !== undefined && { token }) });
    if (action === "create" && id === undefined) {
      const roles = values.role?.flatMap((role) => choiceOption("role", role, ROLES) ?? []);
      const uses = countOption("uses", values.uses);
      const days = numberOption("days", values.days);
      const create = () =>
        mesh.joinKeys.create({
          ...(values.label !== undefined && { label: values.label }),
          ...(roles !== undefined && { roles }),
          ...(uses !== undefined && { uses }),
          ...(days !== undefined && { expiresSeconds: days * SECONDS_PER_DAY }),
        });
      const { out, json = false } = values;
      const created =
        out === undefined
          ? await create()
          : await createInto(out, create, (answer) => joinCommand(url, answer).secret.text);
      if (json)
        printJson(out === undefined ? created : { ...created, ...WITHOUT_SECRETS, file: out });
      else printUse(joinCommand(url, created), created, out);
      return 0;
    }
    if (action === "list" && id === undefined) {
      const keys = await mesh.joinKeys.list().toArray();
      if (values.json === true) printJson(keys);
      else if (keys.length === 0) print("no join keys");
      else {
        const rows = keys.map((key) => [
          key.id,
          key.label,
          key.roles.join(","),
          key.uses_left,
          key.revoked_at === null ? key.expires_at : `revoked ${key.revoked_at}`,
        ]);
        print(table(["id", "label", "roles", "uses left", "valid until"], rows));
      }
      return 0;
    }
    if (action === "revoke" && id !== undefined) {
      await mesh.joinKeys.revoke(id);
      print(`join key ${id} is revoked`);
      return 0;
    }
    throw wrongArguments(positionals, ACTIONS, usage);
  },
};

/** JSON leaves out what is undefined. */
const WITHOUT_SECRETS = { key: undefined, link: undefined };

function printUse(
  command: JoinCommand,
  created: { readonly key: string; readonly uses_left: number; readonly expires_at: string },
  file: string | undefined,
): void {
  const admitted = counted(created.uses_left, "peer");
  const join = file === undefined ? withVariable(command) : withFile(command, file);
  print(`join key  ${file === undefined ? created.key : `in ${file}`}`);
  print(
    `It admits ${admitted} until ${created.expires_at}, and cannot be shown again. A peer joins with:`,
  );
  print(
    "  npx muster keygen --out key.json     # once; it stays listed as long as it has this key",
  );
  print(`  ${join} --key-file key.json --exec COMMAND`);
}
