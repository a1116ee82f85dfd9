import { action } from "../../actions.ts";
import { UsageError } from "../../failure.ts";
import { note, print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";
import { readMapping } from "../../webhooks/mapping-file.ts";
import { putSource } from "../../webhooks/put-source.ts";
import {
  expectRemovals,
  inputOf,
  REMOVAL_DETAILS,
  REMOVAL_OPTIONS,
  SOURCE_OPTIONS,
  sourceOf,
  without,
} from "../../webhooks/source-options.ts";
import { givenSecrets, readGivenSecrets, SECRET_OPTIONS } from "../../webhooks/source-secrets.ts";
import { sourceLines } from "../../webhooks/source-text.ts";
import { sourceUrl } from "../../webhooks/source-url.ts";
import { quotedCommand } from "../../command-name.ts";

/** Changes a webhook source. What no option names stays as it is, the secrets included. */
export const update = action({
  usage: "update NAME [OPTION]...",
  summary: "change a source; takes the options of create, and keeps what none of them names",
  details: [
    ...REMOVAL_DETAILS,
    ["--secret-file FILE", "replace the secrets by this one; twice: by the old and the new one"],
    ["--generate-secret", "replace the secrets by a new one, which is shown once"],
  ],
  options: { ...SOURCE_OPTIONS, ...SECRET_OPTIONS, ...REMOVAL_OPTIONS },
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const {
      url: _url,
      dir: _dir,
      token: _token,
      "token-file": _file,
      json,
      out,
      ...changes
    } = values;
    if (Object.keys(changes).length === 0)
      throw new UsageError(
        "nothing to change",
        `pass an option; ${quotedCommand("help webhook")} lists them`,
      );
    expectRemovals(values);
    if (out !== undefined && values["generate-secret"] !== true)
      throw new UsageError("--out is for a secret that is made", "pass --generate-secret, too");
    // Before any request: a file may not exist.
    const mapping = await readMapping(values);
    const secrets = await readGivenSecrets(values);
    const mesh = await controllerOf(values);
    const before = inputOf(await mesh.webhooks.get(name));
    const input = sourceOf(values, mapping, without(before, values));
    const given = givenSecrets(values, secrets, input.scheme);
    // Before the change: a secret that is shown once must not be lost because this fails.
    const url = await sourceUrl(values, name);
    const { source, secret, file, shown } = await putSource(mesh, {
      name,
      input,
      secrets: given,
      out,
      undo: () =>
        Promise.resolve(
          `the source has a secret now that nobody has seen: run ${quotedCommand(`webhook update ${name} --generate-secret`)} again`,
        ),
    });
    if (json === true) {
      printJson({ ...source, url, ...shown });
      return 0;
    }
    print(sourceLines(source, url));
    if (file !== null) note(`the new secret is in ${file}; enter it at the sender`);
    else if (secret !== null)
      print(`new secret  ${secret}   (it cannot be shown again; enter it at the sender)`);
    return 0;
  },
});
