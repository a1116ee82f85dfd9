import type { AccessCommands } from "../../contract/access.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Job } from "../kernel/job.ts";
import { listAudit } from "./audit.ts";
import { createJoinKey, listJoinKeys, revokeJoinKey } from "./join-keys.ts";
import { authenticate, createToken, listTokens, revokeToken, updateToken } from "./tokens.ts";

/** A token that has expired grants nothing by itself. What it held, discovery keys, must be judged again. */
const expireTokens: Job = {
  name: "expire_tokens",
  run: ({ registry, now }) => registry.apiTokens.expire(now),
  due: { reads: ["apiTokens"], at: ({ registry }) => registry.apiTokens.nextExpiry() },
};

export const access: Domain<AccessCommands> = {
  handlers: {
    create_token: createToken,
    update_token: updateToken,
    list_tokens: listTokens,
    revoke_token: revokeToken,
    authenticate,
    create_join_key: createJoinKey,
    list_join_keys: listJoinKeys,
    revoke_join_key: revokeJoinKey,
    list_audit: listAudit,
  },
  audit: {
    create_token: ({ label, scope, ...limits }, output) => ({
      subject: output?.id ?? "",
      detail: { label, scope, ...limits },
    }),
    update_token: ({ id, ...limits }) => ({ subject: id, detail: { ...limits } }),
    revoke_token: ({ id, keepTasks = false }) => ({
      subject: id,
      detail: { keep_tasks: keepTasks },
    }),
    create_join_key: ({ label, roles, uses }, output) => ({
      subject: output?.id ?? "",
      detail: { label, roles, uses },
    }),
    revoke_join_key: ({ id }) => ({ subject: id }),
  },
  jobs: [expireTokens],
};
