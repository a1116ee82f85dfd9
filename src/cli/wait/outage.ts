/** How long a command waits for a mesh that does not answer: a restart on a busy machine, or a deploy. The user can stop it at any time. */
export const OUTAGE_MS = 300_000;
