import { describe, expect, test } from "vitest";
import { isLoopbackHost, reachableHost, startingAuthMode } from "../../src/cli/listen-address.ts";

describe("the address on which a local mesh listens", () => {
  test.each([
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "::1",
    "0:0:0:0:0:0:0:1",
    "localhost",
    "LOCALHOST",
  ])("AD61 is open by default on %s, which only this machine reaches", (host) => {
    expect(isLoopbackHost(host)).toBe(true);
    expect(startingAuthMode(host)).toBe("open");
  });

  test.each([
    "0.0.0.0",
    "::",
    "192.168.1.5",
    "10.0.0.1",
    "169.254.0.1",
    "203.0.113.9",
    "128.0.0.1",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "2001:db8::1",
    "::2",
    // Spellings that another parser may read in another way, and names, which may lead anywhere.

    "127.1",
    "0127.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "localhost.example",
    "127.0.0.1.example",
    "mesh.local",
    "",
    " 127.0.0.1",
  ])("AD61 is an allowlist by default on %j, which others may reach", (host) => {
    expect(isLoopbackHost(host)).toBe(false);
    expect(startingAuthMode(host)).toBe("allowlist");
  });
});

describe("the host of the URL of a local mesh", () => {
  const loopback = { address: "127.0.0.1", family: "IPv4", internal: true };
  const linkLocal = { address: "fe80::1", family: "IPv6", internal: false };
  const outward = { address: "192.168.1.5", family: "IPv4", internal: false };

  test("is the address itself, in brackets if it is one of IPv6", () => {
    const all = [loopback, outward];
    expect(reachableHost("127.0.0.1", all)).toBe("127.0.0.1");
    expect(reachableHost("192.168.1.9", all)).toBe("192.168.1.9");
    expect(reachableHost("::1", all)).toBe("[::1]");
    expect(reachableHost("mesh.local", all)).toBe("mesh.local");
  });

  test.each(["0.0.0.0", "::", "0:0::0"])(
    "is one that other machines reach where %s means all addresses",
    (host) => {
      expect(reachableHost(host, [loopback, linkLocal, outward])).toBe("192.168.1.5");
      expect(reachableHost(host, [loopback, linkLocal])).toBe("127.0.0.1");
      expect(reachableHost(host, [])).toBe("127.0.0.1");
    },
  );
});
