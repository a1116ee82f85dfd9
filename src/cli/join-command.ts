import { apiBase } from "../client/urls.ts";
import { readMeshLink } from "../client/index.ts";
import { Failure } from "./failure.ts";
import { variableOf } from "./secrets.ts";
import { commandName } from "./command-name.ts";

/** What a mesh answers is pasted into a shell, so it must not end a quotation there. */
const LINK = /^muster:\/\/[\w.:[\]/~-]+\/#[0-9a-f]{64}&join=mjk_[0-9a-f]+$/;
const JOIN_KEY = /^mjk_[0-9a-f]+$/;

/** How a peer joins by a join key: the arguments of `muster join` that are no secret, and the secret. */
export interface JoinCommand {
  readonly words: readonly string[];
  readonly secret: { readonly name: "link" | "join-key"; readonly text: string };
}

/**
 * How a peer joins the mesh at this URL by a join key: by the link, if it leads there. A link means https, or http on this
 * machine, so a mesh that is reached by http from elsewhere is named by its URL and its key. muster.2 needs no TLS: it encrypts by
 * itself, and the peer refuses a mesh with another key.
 */
export function joinCommand(meshUrl: string, created: { link: string; key: string }): JoinCommand {
  const named = LINK.test(created.link) ? readMeshLink(created.link) : null;
  if (named === null || !JOIN_KEY.test(created.key))
    throw new Failure("the mesh answered with a link or a join key that is not valid");
  const base = apiBase(meshUrl);
  if (apiBase(named.url) === base)
    return { words: [], secret: { name: "link", text: created.link } };
  const words = [base, "--mesh-key", named.meshKey];
  return { words, secret: { name: "join-key", text: created.key } };
}

/** The command line with the secret in its environment, which other users of the machine do not see. */
export const withVariable = ({ words, secret: { name, text } }: JoinCommand): string =>
  [`${variableOf(name)}='${text}'`, `${commandName()} join`, ...words].join(" ");

/** The command line with the secret in a file. */
export const withFile = ({ words, secret: { name } }: JoinCommand, file: string): string =>
  [`${commandName()} join`, ...words, `--${name}-file`, quoted(file)].join(" ");

/** A file name as a word of a shell command. */
export const quoted = (file: string): string =>
  /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`;
