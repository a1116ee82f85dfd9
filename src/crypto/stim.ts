import { concat, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { SIGIL_OVERHEAD, sealSigil } from "./sigil.ts";
import { encodeContainer } from "./trix.ts";

/** Borg's STIM 1.0: a configuration and an archive of files (a "TIM"), each sealed with the same password. */
export const STIM_MAGIC = "STIM";
const ALGORITHM = "chacha20poly1305";
const VERSION = "1.0";
const SIZE_BYTES = 4;
/** Magic, version, header length, and the longest header that `headerOf` returns for sizes below 10 MB. */
const FRAMING_BYTES = 4 + 1 + 4 + 128;

/** What a container holds in cleartext. */
export interface StimContents {
  readonly config: Uint8Array;
  /** A tar archive. */
  readonly rootfs: Uint8Array;
}

/** Seals a container that Borg's `tim.FromSigil` opens. The key is that of an SMSG: SHA-256(password). */
export function sealStim(
  key: Uint8Array,
  { config, rootfs }: StimContents,
  random: RandomBytes,
): Bytes {
  const sealedConfig = sealSigil(key, config, random);
  const sealedRootfs = sealSigil(key, rootfs, random);
  const size = new Uint8Array(SIZE_BYTES);
  new DataView(size.buffer).setUint32(0, sealedConfig.length);
  return encodeContainer(STIM_MAGIC, {
    header: headerOf(sealedConfig.length, sealedRootfs.length),
    payload: concat(size, sealedConfig, sealedRootfs),
  });
}

/** The keys in the order in which Go writes them. */
const headerOf = (configBytes: number, rootfsBytes: number) => ({
  config_size: configBytes,
  encryption_algorithm: ALGORITHM,
  rootfs_size: rootfsBytes,
  tim: true,
  version: VERSION,
});

/** An upper bound of the bytes of a sealed container. */
export const stimBytesMax = ({ config, rootfs }: StimContents): number =>
  FRAMING_BYTES + SIZE_BYTES + config.length + rootfs.length + 2 * SIGIL_OVERHEAD;
