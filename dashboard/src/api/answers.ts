/** Answers of the mesh whose schemas have no name of their own. */
import type { z } from "zod";
import type {
  AllowList,
  AuditList,
  DeliveryList,
  DenyList,
  JoinKeyList,
  NewJoinKeyView,
  NewTokenView,
  PeerList,
  TaskList,
  TokenList,
  WebhookSourceList,
} from "../../../src/protocol/http.ts";

export type PeerPage = z.infer<typeof PeerList>;
export type TaskPage = z.infer<typeof TaskList>;
export type Allowlist = z.infer<typeof AllowList>;
export type DenyPage = z.infer<typeof DenyList>;
export type TokenPage = z.infer<typeof TokenList>;
export type NewToken = z.infer<typeof NewTokenView>;
export type JoinKeys = z.infer<typeof JoinKeyList>;
export type NewJoinKey = z.infer<typeof NewJoinKeyView>;
export type AuditPage = z.infer<typeof AuditList>;
export type SourceList = z.infer<typeof WebhookSourceList>;
export type DeliveryPage = z.infer<typeof DeliveryList>;
