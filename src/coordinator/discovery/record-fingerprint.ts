import { toHex, utf8 } from "../../base/bytes.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { sha256 } from "../../crypto/primitives.ts";
import type { PeerRecord } from "../../protocol/peer-record.ts";

/** A fingerprint of what a peer is and announces. Measurements are left out, because they change all the time. */
export const fingerprintOf = ({
  id,
  name,
  address,
  role,
  capabilities,
  kinds,
  region,
}: PeerRecord): string =>
  toHex(sha256(utf8(canonicalJson({ id, name, address, role, capabilities, kinds, region }))));
