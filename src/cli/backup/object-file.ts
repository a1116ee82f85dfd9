import { createHash, createHmac } from "node:crypto";
import { join } from "node:path";
import { cellObjectName } from "../../cells/object-name.ts";

/** Namespaces of Durable Objects, which are folders. */
export const COORDINATOR = "muster-Coordinator";
export const STORE = "muster-KvStore";

/** The database of a cell's coordinator, in the folder of the objects. */
export const databaseIn = (objects: string, cell = 0): string =>
  join(objects, COORDINATOR, objectFile(COORDINATOR, cellObjectName(cell)));

/** The database of the store. */
export const storeIn = (objects: string): string =>
  join(objects, STORE, objectFile(STORE, "entries"));

/**
 * The name of the file in which workerd keeps a Durable Object that has a name: its ID. The first half of an ID is a keyed hash of the
 * name, the second half one of the first, so that an ID of another namespace is recognized (`actor-id-impl.c++` of workerd).
 */
function objectFile(uniqueKey: string, name: string): string {
  const key = createHash("sha256").update(uniqueKey).digest();
  const half = (content: string | Buffer): Buffer =>
    createHmac("sha256", key).update(content).digest().subarray(0, 16);
  const base = half(name);
  return `${Buffer.concat([base, half(base)]).toString("hex")}.sqlite`;
}
