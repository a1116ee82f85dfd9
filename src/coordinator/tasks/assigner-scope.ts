/** The idempotency scope of a peer's tasks, apart from the scopes of callers over HTTP. */
export const assignerScope = (peerId: string): string => `peer:${peerId}`;
