import { z } from "zod";
import { JOIN_KEY_LIFETIME_DEFAULT, JOIN_KEY_LIFETIME_MAX } from "../constants.ts";
import { JsonValue } from "../envelope.ts";
import { PeerId, PublicKeyHex } from "../ids.ts";
import { Role } from "../labels.ts";
import { Label, NextCursor, Page, Time } from "./page.ts";

export const AUTH_MODES = ["open", "allowlist"] as const;
export const AuthMode = z.enum(AUTH_MODES);
export type AuthMode = z.infer<typeof AuthMode>;
export const AuthModeBody = z.object({ mode: AuthMode }).meta({ id: "AuthMode" });

export const AllowBody = z
  .object({
    label: z.string().max(200).default("").meta({ description: "For people" }),
    roles: z
      .array(Role)
      .min(1)
      .max(3)
      .default(["worker"])
      .meta({ description: "Roles that the peer may have" }),
    go_p2p: z.boolean().default(false).meta({
      description: "Lets the key come by go-p2p 1.0 although it has spoken muster.2",
    }),
    readmit: z.boolean().default(false).meta({
      description: "Lifts a revocation of this key; without it, allowing a revoked key is refused",
    }),
  })
  .meta({ id: "AllowRequest" });
export type AllowBody = z.infer<typeof AllowBody>;
export const AllowEntry = z
  .object({
    public_key: PublicKeyHex,
    peer_id: PeerId,
    label: z.string(),
    roles: z.array(Role),
    go_p2p: z.boolean(),
    added_at: Time,
  })
  .meta({ id: "AllowlistEntry" });
export type AllowEntry = z.infer<typeof AllowEntry>;

export const AllowList = z
  .object({ mode: AuthMode, entries: z.array(AllowEntry) })
  .meta({ id: "Allowlist" });

export const SCOPES = ["admin", "controller", "viewer"] as const;
export const Scope = z.enum(SCOPES).meta({
  description:
    "`admin` may do everything, `controller` gives tasks and sees its own, `viewer` looks at everything",
});
export type Scope = z.infer<typeof Scope>;

const CredentialId = z.string().regex(/^[0-9a-f]{16}$/);

export const CreateToken = z.object({ label: Label, scope: Scope }).meta({ id: "TokenRequest" });
export type CreateToken = z.infer<typeof CreateToken>;
export const TokenView = z
  .object({
    id: CredentialId,
    label: z.string(),
    scope: Scope,
    prefix: z.string().meta({ description: "How the token begins" }),
    created_at: Time,
    revoked_at: Time.nullable(),
  })
  .meta({ id: "Token" });
export type TokenView = z.infer<typeof TokenView>;
export const NewTokenView = TokenView.extend({
  token: z.string().meta({ description: "Shown this once" }),
}).meta({ id: "NewToken" });
export const TokenList = z.object({ tokens: z.array(TokenView) }).meta({ id: "TokenList" });

export const CreateJoinKey = z
  .object({
    label: Label,
    roles: z.array(Role).min(1).max(3).default(["worker"]),
    uses: z.int().min(1).max(10_000).default(1),
    expires_seconds: z
      .number()
      .positive()
      .max(JOIN_KEY_LIFETIME_MAX / 1_000)
      .default(JOIN_KEY_LIFETIME_DEFAULT / 1_000),
  })
  .meta({ id: "JoinKeyRequest" });
export type CreateJoinKey = z.infer<typeof CreateJoinKey>;
export const JoinKeyView = z
  .object({
    id: CredentialId,
    label: z.string(),
    roles: z.array(Role),
    prefix: z.string().meta({ description: "How the key begins" }),
    uses_left: z.int(),
    expires_at: Time,
    created_at: Time,
    revoked_at: Time.nullable(),
  })
  .meta({ id: "JoinKey" });
export type JoinKeyView = z.infer<typeof JoinKeyView>;
export const NewJoinKeyView = JoinKeyView.extend({
  key: z.string().meta({ description: "Shown this once" }),
  link: z.string().meta({ description: "Carries the mesh's address, its key and the join key" }),
}).meta({ id: "NewJoinKey" });
export const JoinKeyList = z
  .object({ join_keys: z.array(JoinKeyView) })
  .meta({ id: "JoinKeyList" });

export const AuditView = z
  .object({
    at: Time,
    actor: z.string().meta({ description: "`admin`, `token:` or `peer:` and an ID, or `mesh`" }),
    act: z.string(),
    subject: z.string(),
    outcome: z.string().meta({ description: "`ok`, or the error's code" }),
    detail: z.record(z.string(), JsonValue),
  })
  .meta({ id: "AuditEntry" });
export type AuditView = z.infer<typeof AuditView>;
export const AuditQuery = Page.extend({
  subject: z.string().max(100).optional(),
  act: z.string().max(50).optional(),
});
export const AuditList = z
  .object({ entries: z.array(AuditView), next_cursor: NextCursor })
  .meta({ id: "AuditList" });
