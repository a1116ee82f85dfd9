import { equalConstantTime, fromHex, toHex, type Bytes } from "../../base/bytes.ts";
import { SECOND, toRfc3339, type Millis } from "../../base/clock.ts";
import {
  epochPublicKey,
  newEpochSecrets,
  openEpochSecrets,
  readerTag,
  readerToken,
  sealEpochSecrets,
  type EpochSecrets,
} from "../../discovery/epoch-secrets.ts";
import {
  EPOCH_INTERVAL_MIN,
  EPOCH_LIFETIME,
  EPOCH_ROTATION_INTERVAL,
  RESEAL_SPREAD,
} from "../../protocol/constants.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { DiscoveryEpoch } from "../../registry/discovery-epochs.ts";
import type { Registry } from "../../registry/registry.ts";
import { nextNumber } from "../../registry/after-restore.ts";
import type { Context } from "../kernel/context.ts";
import { strangerLimits } from "../peers/record-limits.ts";
import { addToOutbox } from "../kernel/marks.ts";

/** An epoch with its secrets. */
export interface OpenedEpoch extends DiscoveryEpoch {
  readonly secrets: EpochSecrets;
}

/**
 * The epoch under which records may be published now. Null while the last one is closed and the next must wait: epochs
 * open at least `EPOCH_INTERVAL_MIN` apart, so that many revocations do not seal every record as many times.
 */
export function epochToPublish(context: Context): OpenedEpoch | null {
  const newest = context.registry.discoveryEpochs.newest();
  if (newest !== null && isOpen(newest, context.now)) {
    const opened = openEpochSecretsOf(context, newest);
    // It does not open when the mesh was given another discovery key. Then no one can use it any more.
    if (opened !== null) return opened;
  }
  return newest === null || mayFollow(newest, context.now) ? openNextEpoch(context, newest) : null;
}

/** Whether records can't be published under the newest epoch any more, and the next one may open. */
export const wantsNextEpoch = (newest: DiscoveryEpoch | null, now: Millis): boolean =>
  newest === null || (!isOpen(newest, now) && mayFollow(newest, now));

const isOpen = ({ closedAt, openedAt }: DiscoveryEpoch, now: Millis): boolean =>
  closedAt === null && now < openedAt + EPOCH_ROTATION_INTERVAL;

const mayFollow = ({ openedAt }: DiscoveryEpoch, now: Millis): boolean =>
  now >= openedAt + EPOCH_INTERVAL_MIN;

/** When the next epoch must open; null while nothing requires it. */
function nextEpochAt(registry: Registry, newest: DiscoveryEpoch): Millis | null {
  if (newest.closedAt !== null) return newest.openedAt + EPOCH_INTERVAL_MIN;
  return registry.pointers.anyListed() ? newest.openedAt + EPOCH_ROTATION_INTERVAL : null;
}

function openEpochSecretsOf({ config }: Context, row: DiscoveryEpoch): OpenedEpoch | null {
  const sealed = fromHex(row.sealed) ?? new Uint8Array();
  const secrets = openEpochSecrets(config.discovery.rootKey, row.epoch, sealed);
  return secrets === null ? null : { ...row, secrets };
}

/** Opens the next epoch. Every record of an earlier epoch is sealed again, in random order. */
function openNextEpoch(context: Context, before: DiscoveryEpoch | null): OpenedEpoch {
  const { registry, config, now, random, randomBytes } = context;
  const secrets = newEpochSecrets(randomBytes);
  const epoch = nextNumber(before?.epoch ?? 0, registry.settings.restoredAt);
  const sealed = sealEpochSecrets(config.discovery.rootKey, epoch, secrets, randomBytes);
  const row: DiscoveryEpoch = {
    epoch,
    sealed: toHex(sealed),
    publicKey: toHex(epochPublicKey(secrets)),
    openedAt: now,
    closedAt: null,
    expelled: false,
    // Whole seconds, as stores count them.
    expiresAt: Math.floor((now + EPOCH_LIFETIME) / SECOND) * SECOND,
  };
  if (before !== null) registry.discoveryEpochs.close(before.epoch, now);
  registry.discoveryEpochs.insert(row);
  // Whole seconds, so that the alarm rings once for all entries of one second.
  for (const peerId of registry.pointers.listedPeers())
    addToOutbox(
      context,
      { kind: "publish", peerId },
      now + SECOND * Math.floor((random() * RESEAL_SPREAD) / SECOND),
    );
  return { ...row, secrets };
}

/** Opens the next epoch when the current one has ended. */
export function advanceEpoch(context: Context): void {
  if (context.registry.cells.own !== 0) return;
  const newest = context.registry.discoveryEpochs.newest();
  if (newest === null) return;
  const due = nextEpochAt(context.registry, newest);
  if (due !== null && due <= context.now) openNextEpoch(context, newest);
}

/** When `advanceEpoch` or the end of an earlier epoch is due. */
export function nextEpochDue(registry: Registry): Millis | null {
  const epochs = registry.discoveryEpochs.list();
  const newest = epochs.at(-1);
  if (newest === undefined) return null;
  const ends = epochs.slice(0, -1).map(({ expiresAt }) => expiresAt);
  const dues = [nextEpochAt(registry, newest), ...ends].filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}

export const peerHolder = (peerId: string): string => `peer:${peerId}`;
export const tokenHolder = (tokenId: string): string => `token:${tokenId}`;

/** All epochs under which peers may be found, the newest last. */
export const openEpochs = (context: Context): readonly OpenedEpoch[] =>
  context.registry.discoveryEpochs
    .list()
    .map((row) => openEpochSecretsOf(context, row))
    .filter((epoch) => epoch !== null);

/**
 * The keys of all epochs under which peers may be found, for a holder that has the right to them. Records that the
 * holder got them.
 */
export function keysFor(context: Context, holder: string): DiscoveryKeys {
  const { registry, config } = context;
  // Only cell 0 opens epochs. Another cell has asked it to before it admits a peer (`cell-epochs.ts`).
  if (registry.cells.own === 0) epochToPublish(context);
  const epochs = openEpochs(context);
  const newest = epochs.at(-1);
  if (newest !== undefined) {
    registry.discoveryEpochs.noteHolder(holder, newest.epoch);
    const { keyHolders } = strangerLimits(config);
    if (registry.trims.isDue("key_holders", keyHolders))
      registry.discoveryEpochs.limitStrangers(keyHolders);
  }
  return {
    signing_key: toHex(config.discovery.verifyingKey),
    epochs: epochs.map(({ epoch, secrets, expiresAt }) => ({
      epoch,
      private_key: toHex(secrets.privateKey),
      pointer_secret: toHex(secrets.pointerSecret),
      expires_at: toRfc3339(expiresAt),
    })),
  };
}

/**
 * Whether this is the reader token of an epoch whose members may still read. An epoch that was closed because a member
 * lost its right does not count. The tag of each epoch is computed and compared, so that the time tells nothing.
 */
export function isReader(context: Context, token: string): boolean {
  const tag = readerTag(token);
  let reads = false;
  for (const row of context.registry.discoveryEpochs.list()) {
    const epoch = openEpochSecretsOf(context, row);
    const expected = readerTag(readerToken(epoch?.secrets.pointerSecret ?? new Uint8Array()));
    const admits = epoch !== null && !epoch.expelled && epoch.expiresAt > context.now;
    reads = (equalConstantTime(tag, expected) && admits) || reads;
  }
  return reads;
}

export const publicKeyOf = ({ publicKey }: DiscoveryEpoch): Bytes =>
  fromHex(publicKey) ?? new Uint8Array();
