import type { AllowEntry } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { Role } from "../../protocol/messages.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { OWNER_LIMIT_OPTIONS, ownerLimitsBody, type OwnerLimitOptions } from "./owner-limits.ts";

export interface AllowOptions extends OwnerLimitOptions {
  /** A label for people. */
  readonly label?: string;
  /** Roles that the peer may have; default: `worker` only. */
  readonly roles?: readonly Role[];
  /** Lifts a revocation of this key. Without it, adding a revoked key is refused. */
  readonly readmit?: boolean;
  /** Lets the key connect by go-p2p although it has connected by muster.2 before. */
  readonly goP2p?: boolean;
}

const ALLOW_OPTIONS: OptionNames<AllowOptions> = {
  ...OWNER_LIMIT_OPTIONS,
  label: "string",
  roles: "strings",
  readmit: "boolean",
  goP2p: "boolean",
};

/** The public keys that a mesh in auth mode `allowlist` admits. */
export class AllowlistClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every entry of the allowlist. */
  list(): Listing<AllowEntry> {
    return listing(
      this.#api,
      answer("AllowList"),
      { path: "v1/allowlist" },
      ({ entries }) => entries,
    );
  }

  /** Adds a public key (hex), or replaces its entry. */
  async put(publicKey: string, options: AllowOptions = {}): Promise<AllowEntry> {
    refuseUnknownOptions("allowlist.put", options, ALLOW_OPTIONS);
    const { label, roles, readmit, goP2p } = options;
    const body = { label, roles, readmit, go_p2p: goP2p, ...ownerLimitsBody(options) };
    return this.#api.json(answer("AllowEntry"), { method: "PUT", path: pathOf(publicKey), body });
  }

  /** Removes a public key (hex). In auth mode `allowlist` this ends the peer's session. */
  async remove(publicKey: string): Promise<void> {
    await this.#api.remove(pathOf(publicKey));
  }
}

const pathOf = (publicKey: string): string => `v1/allowlist/${segment(publicKey)}`;
