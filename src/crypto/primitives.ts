/** The cryptographic primitives. Only the files below import @noble/*: one for each part, because a bundler loads a file as a whole. */
export * from "./primitives/aes.ts";
export * from "./primitives/chacha.ts";
export * from "./primitives/edwards.ts";
export * from "./primitives/hashes.ts";
export * from "./primitives/ladder.ts";
export * from "./primitives/random.ts";
