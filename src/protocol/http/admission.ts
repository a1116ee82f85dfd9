import { z } from "zod";
import {
  API_TOKEN_LIFETIME_MAX,
  JOIN_KEY_LIFETIME_DEFAULT,
  JOIN_KEY_LIFETIME_MAX,
  OWNER_BYTES_MAX,
  OWNER_RUNNING_MAX,
  OWNER_WEIGHT_MAX,
  PRIORITY_MAX,
  QUEUE_MAX,
} from "../constants.ts";
import { JsonValue } from "../envelope.ts";
import { PeerId, PublicKeyHex } from "../ids.ts";
import { Role } from "../labels.ts";
import { Label, MissingCells, NextCursor, Page, Time } from "./page.ts";

export const AUTH_MODES = ["open", "allowlist"] as const;
export const AuthMode = z.enum(AUTH_MODES);
export type AuthMode = z.infer<typeof AuthMode>;
export const AuthModeBody = z.strictObject({ mode: AuthMode }).meta({ id: "AuthMode" });

/** Bytes of an owner's tasks that have not ended. */
export const MaxBytes = z.int().min(1).max(OWNER_BYTES_MAX).nullable().meta({
  description:
    "Bytes of the owner's tasks that have not ended: their payloads and requirements, and 1,024 for each; null: an eighth of the database",
});

const LIMITS = {
  weight: z.int().min(1).max(OWNER_WEIGHT_MAX).meta({
    description: "The owner's share of the peers, compared with the weights of other owners",
  }),
  max_waiting: z.int().min(1).max(QUEUE_MAX).nullable().meta({
    description: "Tasks of the owner in the queue; null: a quarter of the queue",
  }),
  max_running: z.int().min(1).max(OWNER_RUNNING_MAX).nullable().meta({
    description: "Tasks of the owner that peers have at once; null: no limit",
  }),
  max_priority: z.int().min(-PRIORITY_MAX).max(PRIORITY_MAX).nullable().meta({
    description: "The highest priority that the owner's tasks may have; null: no limit",
  }),
  max_bytes: MaxBytes,
};
/** What the owner of tasks may have: the holder of an API token, or the peer of an allowlist entry. */
export const OwnerLimits = z
  .object({ ...LIMITS, max_bytes: MaxBytes.default(null) })
  .meta({ id: "OwnerLimits" });
export type OwnerLimits = z.infer<typeof OwnerLimits>;
/** Fields that are absent keep what they were; of a new owner they have their defaults. */
export const OwnerLimitsBody = z.strictObject(LIMITS).partial().meta({ id: "OwnerLimitsRequest" });
export type OwnerLimitsBody = z.infer<typeof OwnerLimitsBody>;

/** The answer of a mesh that has no limits yet. */
const NO_LIMITS = {
  weight: 1,
  max_waiting: null,
  max_running: null,
  max_priority: null,
  max_bytes: null,
};

export const AllowBody = z
  .strictObject({
    ...OwnerLimitsBody.shape,
    label: Label,
    roles: z
      .array(Role)
      .min(1)
      .max(3)
      .default(["worker"])
      .meta({ description: "Roles that the peer may have" }),
    go_p2p: z.boolean().default(false).meta({
      description:
        "Allows the key to connect by go-p2p although it has connected by muster.2 before",
    }),
    readmit: z.boolean().default(false).meta({
      description: "Lifts a revocation of this key; without it, a revoked key is refused",
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
    limits: OwnerLimits.default(NO_LIMITS),
  })
  .meta({ id: "AllowlistEntry" });
export type AllowEntry = z.infer<typeof AllowEntry>;

export const AllowList = z
  .object({ mode: AuthMode, entries: z.array(AllowEntry), missing_cells: MissingCells })
  .meta({ id: "Allowlist" });

export const DENY_REASONS = ["revoked", "rotated"] as const;
export type DenyReason = (typeof DENY_REASONS)[number];
export const DenyEntry = z
  .object({
    peer_id: PeerId,
    public_key: PublicKeyHex.nullable().meta({
      description: "Null: the key was revoked by its ID, and the mesh never saw it",
    }),
    reason: z.enum(DENY_REASONS).meta({
      description:
        "`revoked` by the operator, or `rotated`: its peer has replaced it by another key; the latter cannot be lifted",
    }),
    denied_at: Time,
    denied_by: z.string().nullable().meta({
      description: "`admin`, `token:` or `peer:` and an ID; null: an older version did not note it",
    }),
    rotated_to: PeerId.nullable().meta({
      description: "The ID of the key that replaced a rotated one",
    }),
  })
  .meta({ id: "DenyEntry" });
export type DenyEntry = z.infer<typeof DenyEntry>;
export const DenyQuery = Page.extend({ reason: z.enum(DENY_REASONS).optional() });
export const DenyList = z
  .object({ entries: z.array(DenyEntry), next_cursor: NextCursor, missing_cells: MissingCells })
  .meta({ id: "DenyList" });

export const SCOPES = ["admin", "controller", "viewer", "metrics"] as const;
export const Scope = z.enum(SCOPES).meta({
  description:
    "`admin` may do everything, `controller` submits tasks and reads its own, `viewer` reads everything that is not secret, `metrics` reads the metrics and the load of kinds and nothing else",
});
export type Scope = z.infer<typeof Scope>;

/** Whoever a request's token identifies. */
export const CallerView = z
  .object({
    id: z.string().meta({ description: "The token's ID; `admin` for the admin token" }),
    scope: Scope,
    expires_at: Time.nullable().meta({ description: "Null: the token does not expire" }),
  })
  .meta({ id: "Caller" });
export type CallerView = z.infer<typeof CallerView>;

const CredentialId = z
  .string()
  .regex(/^[0-9a-f]{16}$/, "the ID of a token or a join key is 16 lower-case hex characters");

export const CreateToken = z
  .strictObject({
    label: Label,
    scope: Scope,
    expires_seconds: z
      .number()
      .positive()
      .max(API_TOKEN_LIFETIME_MAX / 1_000)
      .optional()
      .meta({
        description: "After this time the token grants nothing; default: it does not expire",
      }),
    ...OwnerLimitsBody.shape,
  })
  .meta({ id: "TokenRequest" });
export type CreateToken = z.infer<typeof CreateToken>;
export const TOKEN_STATES = ["active", "expired", "revoked"] as const;
export type TokenState = (typeof TOKEN_STATES)[number];
export const TokenQuery = Page.extend({
  scope: Scope.optional(),
  label: z.string().min(1).max(200).optional().meta({
    description: "Only tokens whose label contains this, in any case",
  }),
  state: z.enum(TOKEN_STATES).optional(),
});
export type TokenQuery = z.infer<typeof TokenQuery>;
export const TokenView = z
  .object({
    id: CredentialId,
    label: z.string(),
    scope: Scope,
    prefix: z.string().meta({ description: "The first characters of the token" }),
    created_at: Time,
    revoked_at: Time.nullable(),
    expires_at: Time.nullable().default(null).meta({ description: "Null: it does not expire" }),
    last_used_at: Time.nullable().default(null).meta({
      description: "The last use, up to 10 minutes too early; null: it was never used",
    }),
    state: z.enum(TOKEN_STATES).default("active"),
    limits: OwnerLimits.default(NO_LIMITS),
  })
  .meta({ id: "Token" });
export type TokenView = z.infer<typeof TokenView>;
export const NewTokenView = TokenView.extend({
  token: z.string().meta({ description: "Only this response contains it" }),
}).meta({ id: "NewToken" });
export const TokenList = z
  .object({ tokens: z.array(TokenView), next_cursor: NextCursor.default(null) })
  .meta({ id: "TokenList" });

export const CreateJoinKey = z
  .strictObject({
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
    prefix: z.string().meta({ description: "The first characters of the key" }),
    uses_left: z.int(),
    expires_at: Time,
    created_at: Time,
    revoked_at: Time.nullable(),
  })
  .meta({ id: "JoinKey" });
export type JoinKeyView = z.infer<typeof JoinKeyView>;
export const NewJoinKeyView = JoinKeyView.extend({
  key: z.string().meta({ description: "Only this response contains it" }),
  link: z
    .string()
    .meta({ description: "Contains the mesh's address, its public key and the join key" }),
}).meta({ id: "NewJoinKey" });
export const JoinKeyList = z
  .object({ join_keys: z.array(JoinKeyView) })
  .meta({ id: "JoinKeyList" });

export const AuditView = z
  .object({
    at: Time.meta({ description: "when it happened, or happened first" }),
    last_at: Time.meta({
      description: "when it happened last; the same as `at` unless it was repeated",
    }),
    count: z.int().min(1).meta({
      description: "how often it happened: repetitions within an hour are counted in one entry",
    }),
    actor: z.string().meta({ description: "`admin`, `token:` or `peer:` and an ID, or `mesh`" }),
    act: z.string(),
    subject: z.string(),
    outcome: z.string().meta({ description: "`ok`, or the code of the error" }),
    detail: z.record(z.string(), JsonValue),
  })
  .meta({ id: "AuditEntry" });
export type AuditView = z.infer<typeof AuditView>;
export const AuditQuery = Page.extend({
  subject: z.string().max(100).optional(),
  act: z.string().max(50).optional(),
});
export const AuditList = z
  .object({ entries: z.array(AuditView), next_cursor: NextCursor, missing_cells: MissingCells })
  .meta({ id: "AuditList" });
