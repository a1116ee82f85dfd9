import { describe, expect, test } from "vitest";
import { ClientConnections } from "../../server/front/client-connections.ts";

describe("the connections of a client", () => {
  test("SV32 are as many as the limit, and one more when one has ended", () => {
    const clients = new ClientConnections(2);
    const first = clients.open("192.0.2.1");
    expect(clients.open("192.0.2.1")).not.toBeNull();
    expect(clients.open("192.0.2.1")).toBeNull();
    expect(clients.open("::ffff:192.0.2.1")).toBeNull();
    expect(clients.open("192.0.2.2")).not.toBeNull();
    first?.();
    first?.(); // ends once
    expect(clients.open("192.0.2.1")).not.toBeNull();
    expect(clients.open("192.0.2.1")).toBeNull();
  });

  test("SV32 are those of a whole /64 of IPv6, and a /48 has as much as 16 of these", () => {
    const clients = new ClientConnections(2);
    expect(clients.open("2001:db8::1")).not.toBeNull();
    expect(clients.open("2001:db8::2")).not.toBeNull();
    expect(clients.open("2001:db8::3")).toBeNull();
    let opened = 2;
    for (let n = 1; n < 100; n++)
      for (const host of ["1", "2"])
        if (clients.open(`2001:db8:0:${n.toString(16)}::${host}`) !== null) opened++;
    expect(opened).toBe(32);
    expect(clients.open("2001:db8:1::1")).not.toBeNull();
  });
});
