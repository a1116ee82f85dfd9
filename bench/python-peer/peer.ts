/** A peer that runs empty tasks of one kind. */
import { connectPeer } from "../../src/client/index.ts";

const [url = "", meshKey = "", kind = "", slots = "1"] = process.argv.slice(2);
const peer = connectPeer({ url, meshKey, slots: Number(slots), handlers: { [kind]: () => null } });
await peer.ready;
console.log("ready");
