import type { MeshClient } from "../../client/index.ts";
import { action, withActions } from "../actions.ts";
import { numberOption, type Details, type Values } from "../args.ts";
import { taskId } from "../identifiers.ts";
import { note, print, printJson } from "../output.ts";
import { quotedCommand } from "../command-name.ts";
import { createSecret } from "../private-file.ts";
import { controllerOf, type TARGET_OPTIONS } from "../target.ts";
import { showTask } from "../task-output.ts";
import type { CallbackSecretView } from "../../protocol/http.ts";

/** The options of the actions on a secret. */
const SECRET_OPTIONS = { owner: { type: "string" }, out: { type: "string" } } as const;

const SECRET_DETAILS: Details = [
  [
    "--out FILE",
    "write the secret, and the previous one, to this new file, which only its owner can read",
  ],
  [
    "--owner ID",
    "the secrets of another owner: a token, a peer, admin, webhook:SOURCE; needs scope admin",
  ],
];

type SecretValues = Values<typeof SECRET_OPTIONS & typeof TARGET_OPTIONS>;

const printSecret = action({
  usage: "secret URL [--owner ID] [--out FILE]",
  summary: "print the secret that signs this token's callbacks to the origin of URL",
  details: SECRET_DETAILS,
  options: SECRET_OPTIONS,
  arguments: ["URL"],
  run: (values, [url = ""]) => show(values, (callbacks) => callbacks.secret(url, ownerOf(values))),
});

const rotate = action({
  usage: "rotate URL [--overlap SECONDS] [--owner ID] [--out FILE]",
  summary:
    "replace that secret: both sign until the overlap ends; also takes the options of secret",
  details: [
    ["--overlap SECONDS", "how long the previous secret signs, too; 0 to 604800; default: 86400"],
  ],
  options: { ...SECRET_OPTIONS, overlap: { type: "string" } },
  arguments: ["URL"],
  run: (values, [url = ""]) => {
    const overlapSeconds = numberOption("overlap", values.overlap);
    const options = { ...ownerOf(values), ...(overlapSeconds !== undefined && { overlapSeconds }) };
    return show(values, (callbacks) => callbacks.rotateSecret(url, options));
  },
});

const endPrevious = action({
  usage: "end-previous URL [--owner ID] [--out FILE]",
  summary:
    "end the overlap: only the new secret signs from now on; also takes the options of secret",
  options: SECRET_OPTIONS,
  arguments: ["URL"],
  run: (values, [url = ""]) =>
    show(values, (callbacks) => callbacks.endPreviousSecret(url, ownerOf(values))),
});

const repeat = action({
  usage: "repeat TASK_ID",
  summary: "send the callback of a task again, whether it was delivered or failed",
  options: {},
  arguments: ["TASK_ID"],
  run: async (values, [word = ""]) => {
    const id = taskId(word, "TASK_ID");
    const { tasks } = await controllerOf(values);
    showTask(await tasks.repeatCallback(id), values.json === true);
    return 0;
  },
});

/** Prints and rotates the secrets that sign callbacks, and repeats a callback. */
export const callback = withActions("callback", {
  summary: "print or rotate the secret that signs callbacks to a URL, or repeat a callback",
  examples: [
    "callback secret https://app.example/hook --out callbacks.secret",
    "callback repeat 00000000-0000-4000-8000-000000000001",
  ],
  actions: { secret: printSecret, rotate, "end-previous": endPrevious, repeat },
});

const ownerOf = ({ owner }: SecretValues) => (owner === undefined ? {} : { owner });

/** Shows a secret on stdout, or writes it to the file that the options name. */
async function show(
  values: SecretValues,
  ask: (callbacks: MeshClient["callbacks"]) => Promise<CallbackSecretView>,
): Promise<number> {
  const { out, json = false } = values;
  const { callbacks } = await controllerOf(values);
  const view = await createSecret(out, {
    create: () => ask(callbacks),
    textOf: (made) => secretsOf(made).join("\n"),
    undo: ({ origin }) =>
      Promise.resolve(`${quotedCommand(`callback secret ${origin}`)} shows the secret`),
  });
  return out === undefined ? showSecret(view, json) : showFile(view, out, json);
}

/** The secrets alone are on stdout: the one before signs, too, until its end. */
function showSecret(view: CallbackSecretView, json: boolean): number {
  if (json) {
    printJson(view);
    return 0;
  }
  const { owner, origin, version, secret, previous } = view;
  note(`version ${version}, for callbacks of ${owner} to ${origin}`);
  print(secret);
  if (previous !== null) {
    note(`until ${previous.ends_at} the previous secret signs, too:`);
    print(previous.secret);
  }
  return 0;
}

/** The secrets that sign: the newest first. */
const secretsOf = ({ secret, previous }: CallbackSecretView): readonly string[] =>
  previous === null ? [secret] : [secret, previous.secret];

function showFile(view: CallbackSecretView, file: string, json: boolean): number {
  const { owner, origin, version } = view;
  if (json) printJson({ owner, origin, version, file });
  else print(`version ${version}, for callbacks of ${owner} to ${origin}, is in ${file}`);
  return 0;
}
