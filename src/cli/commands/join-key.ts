import { controller, type MeshClient } from "../../client/index.ts";
import { ROLES } from "../../protocol/messages.ts";
import type { JoinKeyView } from "../../protocol/http.ts";
import { action, withActions } from "../actions.ts";
import { choiceOption, countOption, numberOption, type Values } from "../args.ts";
import { joinCommand, withFile, withVariable, type JoinCommand } from "../join-command.ts";
import { counted, print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { createSecret, undone } from "../private-file.ts";
import { publicUrlOf, targetOf, type TARGET_OPTIONS } from "../target.ts";
import { commandName, quotedCommand } from "../command-name.ts";

const SECONDS_PER_DAY = 86_400;

/** The SDK's controller. */
async function meshAt(values: Values<typeof TARGET_OPTIONS>): Promise<MeshClient> {
  const { url, token } = await targetOf(values);
  return controller({ url, ...(token !== undefined && { token }) });
}

const create = action({
  usage: "create [--label TEXT] [--role ROLE]... [--uses N] [--days N] [--out FILE]",
  summary: "create a join key, and print the command by which a peer joins with it",
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
  ],
  options: {
    label: { type: "string" },
    role: { type: "string", multiple: true },
    uses: { type: "string" },
    days: { type: "string" },
    out: { type: "string" },
  },
  arguments: [],
  run: async (values) => {
    const roles = values.role?.flatMap((role) => choiceOption("role", role, ROLES) ?? []);
    const uses = countOption("uses", values.uses);
    const days = numberOption("days", values.days);
    const mesh = await meshAt(values);
    const url = await publicUrlOf(values);
    const { out, json = false } = values;
    const created = await createSecret(out, {
      create: () =>
        mesh.joinKeys.create({
          ...(values.label !== undefined && { label: values.label }),
          ...(roles !== undefined && { roles }),
          ...(uses !== undefined && { uses }),
          ...(days !== undefined && { expiresSeconds: days * SECONDS_PER_DAY }),
        }),
      textOf: (answer) => joinCommand(url, answer).secret.text,
      undo: ({ id }) =>
        undone(
          () => mesh.joinKeys.revoke(id),
          `the join key ${id} is revoked`,
          quotedCommand(`join-key revoke ${id}`),
        ),
    });
    if (json)
      printJson(out === undefined ? created : { ...created, ...WITHOUT_SECRETS, file: out });
    else printUse(joinCommand(url, created), created, out);
    return 0;
  },
});

const list = action({
  usage: "list",
  summary: "list the join keys",
  options: {},
  arguments: [],
  run: async (values) => {
    const mesh = await meshAt(values);
    const keys = await mesh.joinKeys.list().toArray();
    if (values.json === true) printJson(keys);
    else if (keys.length === 0) print("no join keys");
    else print(table(["id", "label", "roles", "uses left", "valid until"], keys.map(row)));
    return 0;
  },
});

const row = (key: JoinKeyView) => [
  key.id,
  key.label,
  key.roles.join(","),
  key.uses_left,
  key.revoked_at === null ? key.expires_at : `revoked ${key.revoked_at}`,
];

const revoke = action({
  usage: "revoke ID",
  summary: "revoke a join key; the peers that it admitted stay",
  options: {},
  arguments: ["ID"],
  run: async (values, [id = ""]) => {
    const mesh = await meshAt(values);
    await mesh.joinKeys.revoke(id);
    if (values.json === true) printJson({ id, state: "revoked" });
    else print(`join key ${id} is revoked`);
    return 0;
  },
});

/** Creates, lists and revokes join keys. */
export const joinKey = withActions("join-key", {
  summary: "create, list or revoke join keys, which add peers to the allowlist",
  examples: ["join-key create --uses 10 --out lab.link", "join-key revoke a3b1"],
  actions: { create, list, revoke },
});

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
    `  ${commandName()} keygen --out key.json     # once; it stays listed as long as it has this key`,
  );
  print(`  ${join} --key-file key.json --exec COMMAND`);
}
