import { DEFAULT_THRESHOLDS } from "../../src/alerts/thresholds.ts";
import { DAY, SECOND } from "../../src/base/clock.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import { ed25519PublicKey } from "../../src/crypto/primitives.ts";
import { STORAGE_LIMIT } from "../../src/protocol/constants.ts";
import { NO_OUTBOUND_ALLOW } from "../../src/protocol/outbound-allow.ts";
import { WEIGHTS } from "../../src/scoring/score.ts";

/** The Ed25519 signing key of the test mesh. */
export const SIGNING_KEY = new Uint8Array(32).fill(3);

/** An open mesh with small limits. */
export const TEST_CONFIG: CoordinatorConfig = {
  authMode: "open",
  cells: 1,
  policy: { name: "best-score" },
  weights: WEIGHTS,
  place: null,
  meshIds: [],
  peersMax: 1_000,
  dialsMax: 2,
  allowLoopback: false,
  outboundAllow: NO_OUTBOUND_ALLOW,
  reconnectSpread: 2 * SECOND,
  retention: 30 * DAY,
  storage: { limit: STORAGE_LIMIT, payloadRetention: DAY },
  alerts: DEFAULT_THRESHOLDS,
  alertWebhooks: [],
  credentialKey: new Uint8Array(32),
  callbackKey: new Uint8Array(32).fill(1),
  discovery: {
    rootKey: new Uint8Array(32).fill(1),
    signingKey: SIGNING_KEY,
    verifyingKey: ed25519PublicKey(SIGNING_KEY),
    members: "all",
    publicFields: [],
    replicated: false,
  },
  tracing: null,
};
