import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressLimiter } from "../../src/access/address-limiter.ts";
import { MINUTE, SECOND } from "../../src/base/clock.ts";

const NOW = 1_795_348_800_000;
const PER_MINUTE = 6;
/** As many addresses as one table holds, and more. */
const MANY = 12_000;

const ipv4 = (n: number): string => `198.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

/** How many of `calls` calls from an address are allowed now. */
function allowed(limiter: AddressLimiter, address: string, calls: number, now = NOW): number {
  let count = 0;
  for (let call = 0; call < calls; call++)
    if (limiter.consume("deliveries", address, PER_MINUTE, now) === 0) count++;
  return count;
}

describe("the budgets of addresses", () => {
  test("RL31 each budget counts by itself, and each address", () => {
    const limiter = new AddressLimiter();
    expect(allowed(limiter, "192.0.2.1", 10)).toBe(PER_MINUTE);
    expect(allowed(limiter, "192.0.2.2", 10)).toBe(PER_MINUTE);
    expect(limiter.consume("handshakes", "192.0.2.1", PER_MINUTE, NOW)).toBe(0);
    expect(limiter.consume("deliveries", "192.0.2.1", PER_MINUTE, NOW)).toBe(10);
  });

  test("RL31 no schedule of calls gets more than a full bucket and what it earns", () => {
    const Waits = fc.array(fc.integer({ min: 0, max: 20 * SECOND }), { maxLength: 60 });
    fc.assert(
      fc.property(Waits, (waits) => {
        const limiter = new AddressLimiter();
        let now = NOW;
        let count = 0;
        for (const wait of waits) {
          now += wait;
          count += allowed(limiter, "192.0.2.1", 3, now);
        }
        expect(count).toBeLessThanOrEqual(PER_MINUTE + ((now - NOW) / MINUTE) * PER_MINUTE);
      }),
    );
  });

  test("RL33 an attacker with more addresses than the table holds resets no counter of its own", () => {
    const limiter = new AddressLimiter();
    let count = 0;
    // Three times through all its addresses, within a minute.
    for (let round = 0; round < 3; round++)
      for (let n = 0; n < MANY; n++)
        count += allowed(limiter, ipv4(n), PER_MINUTE, NOW + round * SECOND);
    const inTable = 10_000 * (PER_MINUTE + 1);
    const shared = PER_MINUTE * 32 + 10;
    expect(count).toBeLessThanOrEqual(inTable + shared);
  });

  test("RL33 an attacker with many addresses resets no counter of another address, and lowers none", () => {
    const limiter = new AddressLimiter();
    allowed(limiter, "192.0.2.1", 4);
    for (let n = 0; n < MANY; n++) allowed(limiter, ipv4(n), 1);
    expect(allowed(limiter, "192.0.2.1", 10)).toBe(2);
  });

  test("RL33 new addresses have budgets of their own again once the flood has passed", () => {
    const limiter = new AddressLimiter();
    for (let n = 0; n < MANY; n++) allowed(limiter, ipv4(n), 40);
    expect(allowed(limiter, "192.0.2.1", 10)).toBe(0);
    expect(allowed(limiter, "192.0.2.1", 10, NOW + MINUTE)).toBe(PER_MINUTE);
  });

  test("RL33 all networks of one IPv6 site together may do as much as 16 of them", () => {
    const limiter = new AddressLimiter();
    let count = 0;
    for (let n = 0; n < 1_000; n++)
      count += allowed(limiter, `2001:db8:7:${n.toString(16)}::1`, PER_MINUTE);
    expect(count).toBe(16 * PER_MINUTE);
    expect(allowed(limiter, "2001:db8:8::1", 10)).toBe(PER_MINUTE);
  });
});
