import { readMeshLink } from "../client/index.ts";
import type { Details } from "./args.ts";
import { UsageError } from "./failure.ts";
import { note } from "./output.ts";
import { readPrivateInput } from "./private-file.ts";
import { readStandardInput } from "./standard-input.ts";

/**
 * The secrets of the command line, and the variable of each. Each can be given in four ways, the first of which counts: as
 * argument, in a file (`--NAME-file`), from stdin (`--NAME-file -`), in the environment.
 */
const VARIABLES = {
  token: "MUSTER_TOKEN",
  "join-key": "MUSTER_JOIN_KEY",
  link: "MUSTER_LINK",
  secret: "MUSTER_WEBHOOK_SECRET",
  passphrase: "MUSTER_PASSPHRASE",
} as const;
type SecretName = keyof typeof VARIABLES;

export const variableOf = (name: SecretName): string => VARIABLES[name];

export const secretDetails = (name: SecretName, what: string): Details => [
  [`--${name}-file FILE`, `${what}; - reads stdin; default: ${VARIABLES[name]}`],
];

interface Given {
  /** The argument. */
  readonly value: string | undefined;
  /** The argument of `--NAME-file`. */
  readonly file: string | undefined;
}

/** The secret; undefined when it is not given. Notes that other users can see an argument. */
export async function readSecret(
  name: SecretName,
  { value, file }: Given,
): Promise<string | undefined> {
  if (value !== undefined && file !== undefined)
    throw new UsageError(
      `the ${nounOf(name)} is given twice`,
      `leave --${name}-file out, or use it alone`,
    );
  if (value !== undefined) {
    if (name !== "link" || hasJoinKey(value)) noteVisible(name);
    return value;
  }
  if (file !== undefined) return readSecretFile(name, file);
  const set = process.env[VARIABLES[name]];
  return set === "" ? undefined : set;
}

const nounOf = (name: SecretName): string => name.replace("-", " ");

/** A link without a join key is public. */
const hasJoinKey = (link: string): boolean => (readMeshLink(link)?.joinKey ?? null) !== null;

const noteVisible = (name: SecretName): void =>
  note(
    `warning: other users of this machine can see the ${nounOf(name)} among the arguments; use --${name}-file FILE or ${VARIABLES[name]}`,
  );

async function readSecretFile(name: SecretName, file: string): Promise<string> {
  const what = file === "-" ? "stdin" : file;
  const text =
    file === "-"
      ? await readStandardInput(`--${name}-file`)
      : await readPrivateInput(file, `it is the file of --${name}-file`);
  const secret = (name === "token" ? adminTokenIn(text) : null) ?? text.trim();
  // The text may be a secret of another kind, so the error does not show it.
  if (!FORMS[name].test(secret))
    throw new UsageError(`${what} has no ${nounOf(name)}`, "it must be one line, and nothing else");
  return secret;
}

const WORD = /^[\u0021-\u007e]+$/;
/** What is made by the mesh is a word. The secret of a webhook and a passphrase are any line: others make them. */
const FORMS: { readonly [N in SecretName]: RegExp } = {
  token: WORD,
  "join-key": WORD,
  link: WORD,
  secret: /^[^\r\n]+$/,
  passphrase: /^[^\r\n]+$/,
};

/** The admin token among the secrets of a mesh, as `muster keygen --mesh` writes them. */
const adminTokenIn = (text: string): string | null =>
  /^ADMIN_TOKEN=(\S+)$/m.exec(text)?.[1] ?? null;

/** The environment for a program or a module that runs tasks. The secrets are the operator's, and must not reach it. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names: readonly string[] = Object.values(VARIABLES);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => !names.includes(name) && !(name === "MUSTER_URL" && isLink(value)),
    ),
  );
}

const isLink = (value: string | undefined): boolean => value?.startsWith("muster://") === true;
