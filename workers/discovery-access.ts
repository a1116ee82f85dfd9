import { readCredential } from "../src/access/credential.ts";
import { equalConstantTime, toHex, utf8 } from "../src/base/bytes.ts";
import { err, type Result } from "../src/base/result.ts";
import type { DiscoveryRead } from "../src/contract/discovery.ts";
import { sha256 } from "../src/crypto/primitives.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { bearerOf } from "./authorization.ts";
import type { AppContext } from "./context.ts";
import { limited } from "./address-budgets.ts";

/** Credentials that nobody has. A request without a token is checked with these, so that it takes as long as one with a token. */
const NO_TOKEN = `mst_${"0".repeat(96)}`;
const NO_ID = "0".repeat(16);
const NO_READER = "0".repeat(64);

const API_TOKEN = /^mst_[0-9a-f]{96}$/;
const READER_TOKEN = /^[0-9a-f]{64}$/;

/**
 * Whether the caller may read discovery, and the pointer with this ID. Every step runs in every case, so that the time does
 * not distinguish absent, expired and not allowed: one check of the API token, one read of its row, one MAC for each epoch,
 * one read of the pointer.
 */
export async function readDiscovery(
  c: AppContext,
  id: string,
): Promise<Result<DiscoveryRead, MusterError>> {
  const { config, coordinator, memory } = c.var;
  const shown = bearerOf(c) ?? "";
  const token = API_TOKEN.test(shown) ? shown : NO_TOKEN;
  const credential = readCredential("mst", config.coordinator.credentialKey, token);
  const isAdmin = equalConstantTime(sha256(utf8(shown)), sha256(utf8(config.adminToken)));
  const digest = toHex(sha256(utf8(shown)));
  // A token is known to be right only once the coordinator has said so.
  if (!isAdmin && !memory.readers.has(digest, Date.now())) {
    const refused = limited(c, "discovery", "reads of discovery");
    if (refused !== null) return err(refused);
  }
  const read = await coordinator.call("read_discovery", {
    id,
    anybody: config.discoveryPublic || isAdmin,
    // `readCredential` hashes a valid credential, so an invalid one is hashed here.
    credential: credential ?? { id: NO_ID, hash: toHex(sha256(utf8(NO_TOKEN))) },
    reader: READER_TOKEN.test(shown) ? shown : NO_READER,
  });
  if (read.ok && read.value.allowed && !config.discoveryPublic)
    memory.readers.add(digest, Date.now());
  return read;
}
