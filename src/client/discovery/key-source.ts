import type { DiscoveryKeys } from "../../protocol/discovery.ts";

/** Discovery keys, or a function that returns them. The function is called again when an epoch's keys are missing. */
export type KeySource = DiscoveryKeys | (() => DiscoveryKeys | Promise<DiscoveryKeys>);
