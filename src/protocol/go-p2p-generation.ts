import { z } from "zod";

/**
 * The generations of go-p2p's wire protocol, which both call themselves version 1.0 and do not understand each other: 1 answers the
 * challenge with a MAC under the shared secret and seals in SMSG containers, 2 derives a key for each of the two purposes.
 */
const GO_P2P_GENERATIONS = [1, 2] as const;
export const GoP2pGeneration = z.literal(GO_P2P_GENERATIONS);
export type GoP2pGeneration = z.infer<typeof GoP2pGeneration>;
