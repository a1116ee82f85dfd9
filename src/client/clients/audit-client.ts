import type { AuditView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions } from "../known-options.ts";

/** The audit log of a mesh: admissions, refusals and administrative changes. */
export class AuditClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The entries, newest first; `subject` is the ID that was acted on, `act` the action's name. */
  list(filter: { readonly subject?: string; readonly act?: string } = {}): Listing<AuditView> {
    refuseUnknownOptions("audit.list", filter, { subject: "string", act: "string" });
    return listing(
      this.#api,
      answer("AuditList"),
      { path: "v1/audit", query: filter },
      ({ entries }) => entries,
    );
  }
}
