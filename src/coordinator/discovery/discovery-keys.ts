import { ok } from "../../base/result.ts";
import { keysFor, tokenHolder } from "./epochs.ts";
import type { Handler } from "../kernel/handler.ts";

/** For a controller, by its token: what finds and opens peers. */
export const discoveryKeys: Handler<"discovery_keys"> = (context, { tokenId }) =>
  ok(keysFor(context, tokenHolder(tokenId)));
