import { MusterApiError, type MeshClient } from "../../../client/index.ts";
import { Slug } from "../../../protocol/ids.ts";
import { action } from "../../actions.ts";
import { Failure, UsageError } from "../../failure.ts";
import { note, print, printJson } from "../../output.ts";
import { undone } from "../../private-file.ts";
import { variableOf } from "../../secrets.ts";
import { controllerOf } from "../../target.ts";
import { readMapping } from "../../webhooks/mapping-file.ts";
import { putSource } from "../../webhooks/put-source.ts";
import { senderSteps, unreachableReason } from "../../webhooks/sender-steps.ts";
import { SOURCE_DETAILS, SOURCE_OPTIONS, sourceOf } from "../../webhooks/source-options.ts";
import { SECRET_DETAILS, SECRET_OPTIONS, secretsOfNew } from "../../webhooks/source-secrets.ts";
import { likelySourceUrl, sourceUrl } from "../../webhooks/source-url.ts";
import { commandName, quotedCommand } from "../../command-name.ts";

/** Creates a webhook source, and says what its sender needs. */
export const create = action({
  usage: "create NAME --scheme SCHEME --kind KIND [OPTION]...",
  summary: "create a source; prints its URL, its secret if one is made, and the next step",
  details: [
    ...SOURCE_DETAILS,
    ...SECRET_DETAILS,
    ["", `without a secret, and without ${variableOf("secret")}, one is made`],
  ],
  options: { ...SOURCE_OPTIONS, ...SECRET_OPTIONS },
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    if (!Slug.safeParse(name).success)
      throw new UsageError(
        `"${name}" is not a name of a source`,
        "use up to 64 small letters, digits and dashes",
      );
    const input = sourceOf(values, await readMapping(values), null);
    const likelyUrl = await likelySourceUrl(values, name);
    const secrets = await secretsOfNew(values, input.scheme, likelyUrl);
    const mesh = await controllerOf(values);
    const url = await sourceUrl(values, name);
    await expectNew(mesh, name);
    const { out, json = false } = values;
    const { source, secret, file, shown } = await putSource(mesh, {
      name,
      input,
      secrets,
      out,
      undo: () =>
        undone(
          () => mesh.webhooks.remove(name),
          `the webhook source ${name} is removed again`,
          quotedCommand(`webhook delete ${name}`),
        ),
    });
    if (json) {
      printJson({ ...source, url, ...shown });
      return 0;
    }
    print(`source  ${name} is created`);
    print(`URL     ${url}`);
    if (file !== null) print(`secret  in ${file}`);
    else if (secret !== null) print(`secret  ${secret}   (it cannot be shown again)`);
    print();
    const called = file !== null ? `the one in ${file}` : (secret ?? "the secret that you gave");
    print(senderSteps(source, url, called).map((text) => text.replace("NAME", name)));
    print();
    print(`Then watch what arrives:  ${commandName()} webhook listen ${name}`);
    const reason = unreachableReason(url);
    if (reason !== null) note(reason);
    return 0;
  },
});

/** A source that exists is changed by `update`: to replace it by mistake would lose its mapping and its secret. */
async function expectNew(mesh: MeshClient, name: string): Promise<void> {
  try {
    await mesh.webhooks.get(name);
  } catch (error) {
    if (error instanceof MusterApiError && error.status === 404) return;
    throw error;
  }
  throw new Failure(
    `the webhook source ${name} exists already`,
    `change it with ${quotedCommand(`webhook update ${name}`)}, or choose another name`,
  );
}
