import { networksOf } from "../../src/access/client-address.ts";

/** A /48 of IPv6 is one site, which has as many addresses as it likes: it has as much as this many networks. */
const NETWORKS_OF_SITE = 16;

/**
 * Counts what each client has open, so that one client cannot take all connections. A client is one IPv4 address or one /64 of IPv6, as for the
 * budgets per minute. What it stores is bounded by what is open.
 */
export class ClientConnections {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one more of an address. Returns what ends that; null if the client has as many as it may have. */
  open(address: string): (() => void) | null {
    const { network, site } = networksOf(address);
    const limits: readonly (readonly [key: string, max: number])[] = [
      [network, this.#max],
      ...(site === null ? [] : [[site, this.#max * NETWORKS_OF_SITE] as const]),
    ];
    if (limits.some(([key, max]) => (this.#open.get(key) ?? 0) >= max)) return null;
    for (const [key] of limits) this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      for (const [key] of limits) {
        const left = (this.#open.get(key) ?? 0) - 1;
        if (left > 0) this.#open.set(key, left);
        else this.#open.delete(key);
      }
    };
  }
}
