import type { Millis } from "../base/clock.ts";
import type {
  AuditView,
  CreateJoinKey,
  CreateToken,
  JoinKeyView,
  OwnerLimitsBody,
  Scope,
  TokenQuery,
  TokenView,
} from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty, PageInput, PageOutput } from "./inputs.ts";

/** API tokens, join keys, and the audit log. */
export interface AccessCommands {
  create_token: {
    caller: "gateway";
    input: CreateToken;
    output: TokenView & { readonly token: string };
  };
  /** Changes the limits of a token's tasks. */
  update_token: {
    caller: "gateway";
    input: OwnerLimitsBody & { readonly id: string };
    output: TokenView;
  };
  list_tokens: {
    caller: "gateway";
    input: TokenQuery;
    output: { readonly tokens: TokenView[]; readonly next_cursor: string | null };
  };
  revoke_token: {
    caller: "gateway";
    input: { readonly id: string; readonly keepTasks?: boolean };
    output: Empty;
  };
  authenticate: {
    caller: "gateway";
    input: { readonly id: string; readonly hash: string };
    /** Whoever keeps the answer must not use it after `expiresAt`. */
    output: { readonly id: string; readonly scope: Scope; readonly expiresAt: Millis | null };
  };
  create_join_key: {
    caller: "gateway";
    input: CreateJoinKey;
    output: JoinKeyView & { readonly key: string };
  };
  list_join_keys: {
    caller: "gateway";
    input: Empty;
    output: { readonly join_keys: JoinKeyView[] };
  };
  revoke_join_key: { caller: "gateway"; input: { readonly id: string }; output: Empty };
  list_audit: {
    caller: "gateway";
    input: PageInput & { readonly subject?: string | undefined; readonly act?: string | undefined };
    output: PageOutput & { readonly entries: AuditView[] };
  };
}

export const ACCESS_CALLERS: CallersOf<AccessCommands> = {
  create_token: "gateway",
  update_token: "gateway",
  list_tokens: "gateway",
  revoke_token: "gateway",
  authenticate: "gateway",
  create_join_key: "gateway",
  list_join_keys: "gateway",
  revoke_join_key: "gateway",
  list_audit: "gateway",
};
