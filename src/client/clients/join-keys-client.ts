import type { z } from "zod";
import type { NewJoinKeyView, JoinKeyView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { Role } from "../../protocol/messages.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface JoinKeyOptions {
  /** A label for people. */
  readonly label?: string;
  /** Roles that the added peers may have; default: `worker` only. */
  readonly roles?: readonly Role[];
  /** How many peers the key can add; default 1. */
  readonly uses?: number;
  /** The lifetime of the key; default: the mesh's. */
  readonly expiresSeconds?: number;
}

const JOIN_KEY_OPTIONS: OptionNames<JoinKeyOptions> = {
  label: "string",
  roles: "strings",
  uses: "number",
  expiresSeconds: "number",
};

/** Join keys: a peer that presents one is added to the allowlist. */
export class JoinKeysClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every join key, revoked ones included, without its secret. */
  list(): Listing<JoinKeyView> {
    return listing(
      this.#api,
      answer("JoinKeyList"),
      { path: "v1/join-keys" },
      ({ join_keys }) => join_keys,
    );
  }

  /** Creates a join key. The answer holds the only copy of the key, and a `muster://` link that contains it. */
  async create(options: JoinKeyOptions = {}): Promise<z.output<typeof NewJoinKeyView>> {
    refuseUnknownOptions("joinKeys.create", options, JOIN_KEY_OPTIONS);
    const { expiresSeconds, ...key } = options;
    const body = { ...key, expires_seconds: expiresSeconds };
    return this.#api.json(answer("NewJoinKeyView"), { method: "POST", path: "v1/join-keys", body });
  }

  /** Revokes a join key by its ID. Peers that it has added stay on the allowlist. */
  async revoke(id: string): Promise<void> {
    await this.#api.remove(`v1/join-keys/${segment(id)}`);
  }
}
