import type { Millis } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import type { DiscoveryStore } from "./store.ts";

/** A store whose reads fail after `timeout` milliseconds: one that hangs is one that is down. */
export const withReadDeadline = (
  store: Pick<DiscoveryStore, "get">,
  timeout: Millis,
): Pick<DiscoveryStore, "get"> => ({ get: (key) => withDeadline(store.get(key), timeout) });
