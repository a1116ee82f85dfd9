import { ok } from "../../base/result.ts";
import { keysFor, tokenHolder } from "./epochs.ts";
import type { Handler } from "../kernel/handler.ts";

/** The discovery keys for a controller, by its token. */
export const discoveryKeys: Handler<"discovery_keys"> = (context, { tokenId }) =>
  ok(keysFor(context, tokenHolder(tokenId)));
