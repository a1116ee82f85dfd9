import { numberOption, readArgs, type Command } from "../args.ts";
import { UsageError } from "../failure.ts";
import { note, print, printJson } from "../output.ts";
import { createInto } from "../private-file.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { showTask } from "../task-output.ts";
import type { CallbackSecretView } from "../../protocol/http.ts";

const usage =
  "callback secret URL | rotate URL [--overlap SECONDS] | end-previous URL | repeat TASK_ID";

const OPTIONS = {
  ...TARGET_OPTIONS,
  owner: { type: "string" },
  overlap: { type: "string" },
  out: { type: "string" },
} as const;

/** Prints and rotates the secrets that sign callbacks, and repeats a callback. */
export const callback: Command = {
  usage,
  summary: "print or rotate the secret that signs callbacks to a URL, or repeat a callback",
  details: [
    ["secret URL", "print the secret that signs this token's callbacks to the origin of URL"],
    ["rotate URL", "replace it; both secrets sign until the overlap ends"],
    ["  --overlap SECONDS", "how long the previous secret signs, too; 0 to 604800; default: 86400"],
    ["end-previous URL", "let only the new secret sign from now on"],
    [
      "--out FILE",
      "write the secret, and the previous one, to this new file, which only its owner can read",
    ],
    [
      "--owner ID",
      "the secrets of another owner: a token, a peer, admin, webhook:SOURCE; needs scope admin",
    ],
    ["repeat TASK_ID", "send the callback of a task again, whether it was delivered or failed"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 2, max: 2, usage });
    const [action = "", subject = ""] = positionals;
    const overlapSeconds = numberOption("overlap", values.overlap);
    if (overlapSeconds !== undefined && action !== "rotate")
      throw new UsageError("--overlap is an option of rotate", `usage: muster ${usage}`);
    const { tasks, callbacks } = await controllerOf(values);
    const owner = values.owner === undefined ? {} : { owner: values.owner };
    const { out, json = false } = values;
    const show = async (ask: () => Promise<CallbackSecretView>): Promise<number> => {
      if (out === undefined) return showSecret(await ask(), json);
      return showFile(await createInto(out, ask, (view) => secretsOf(view).join("\n")), out, json);
    };
    switch (action) {
      case "secret":
        return show(() => callbacks.secret(subject, owner));
      case "rotate":
        return show(() =>
          callbacks.rotateSecret(subject, {
            ...owner,
            ...(overlapSeconds !== undefined && { overlapSeconds }),
          }),
        );
      case "end-previous":
        return show(() => callbacks.endPreviousSecret(subject, owner));
      case "repeat":
        showTask(await tasks.repeatCallback(subject), values.json === true);
        return 0;
      default:
        throw new UsageError(`unknown action "${action}"`, `usage: muster ${usage}`);
    }
  },
};

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
