import type { CallbackSecretView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { Api } from "../http/api.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface CallbackOwnerOptions {
  /** The ID of a token or a peer, `admin`, or `webhook:` and the name of a source; default: the caller. Needs scope admin. */
  readonly owner?: string;
}

const OWNER_OPTIONS: OptionNames<CallbackOwnerOptions> = { owner: "string" };

export interface RotateCallbackSecretOptions extends CallbackOwnerOptions {
  /** For how long the secret before signs, too; 0 to 7 days; default: a day. */
  readonly overlapSeconds?: number;
}

const ROTATE_OPTIONS: OptionNames<RotateCallbackSecretOptions> = {
  ...OWNER_OPTIONS,
  overlapSeconds: "number",
};

/**
 * The secrets that sign callbacks to a receiver, for `verifyCallback`. A receiver is the origin of a callback's URL; each has a
 * secret of its own.
 */
export class CallbacksClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The secret that signs callbacks to this URL, and the one before while it signs, too. */
  async secret(url: string, options: CallbackOwnerOptions = {}): Promise<CallbackSecretView> {
    refuseUnknownOptions("callbacks.secret", options, OWNER_OPTIONS);
    const query = { url, owner: options.owner };
    return this.#api.json(answer("CallbackSecretView"), { path: "v1/callback-secret", query });
  }

  /** Replaces the secret. Both sign until the overlap ends, so that the receiver can be given the new one meanwhile. */
  async rotateSecret(
    url: string,
    options: RotateCallbackSecretOptions = {},
  ): Promise<CallbackSecretView> {
    refuseUnknownOptions("callbacks.rotateSecret", options, ROTATE_OPTIONS);
    const { owner, overlapSeconds } = options;
    const body = { url, owner, overlap_seconds: overlapSeconds };
    const path = "v1/callback-secret/rotate";
    return this.#api.json(answer("CallbackSecretView"), { method: "POST", path, body });
  }

  /** Ends the overlap of a rotation at once: only the new secret signs. */
  async endPreviousSecret(
    url: string,
    options: CallbackOwnerOptions = {},
  ): Promise<CallbackSecretView> {
    refuseUnknownOptions("callbacks.endPreviousSecret", options, OWNER_OPTIONS);
    const { owner } = options;
    const path = "v1/callback-secret/end-previous";
    return this.#api.json(answer("CallbackSecretView"), {
      method: "POST",
      path,
      body: { url, owner },
    });
  }
}
