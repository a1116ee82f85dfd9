import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRoute } from "../../../src/client/route/parse-route.ts";
import { ROUTE_TOOLS } from "../../../src/protocol/route.ts";

// Outputs of Linux' traceroute 2.1 unless a test says otherwise. Addresses are those of RFC 5737 and RFC 3849.

describe("the output of traceroute", () => {
  test("gives the hop of the destination; hops that do not answer count", () => {
    const output = `traceroute to mesh.example (203.0.113.9), 30 hops max, 60 byte packets
 1  192.168.1.1  0.412 ms  0.501 ms
 2  * *
 3  198.51.100.17  8.911 ms 198.51.100.21  9.012 ms
 4  198.51.100.33  9.714 ms *
 5  203.0.113.9  12.301 ms  12.277 ms
`;
    expect(parseRoute("traceroute", output)).toBe(5);
  });

  test("over IPv6", () => {
    const output = `traceroute to mesh.example (2001:db8:9::1), 30 hops max, 80 byte packets
 1  2001:db8:1::1  1.002 ms  0.987 ms
 2  2001:db8:2::5  7.100 ms  7.222 ms
 3  2001:db8:9::1  11.400 ms  11.316 ms
`;
    expect(parseRoute("traceroute", output)).toBe(3);
  });

  test("of macOS: the header is on standard error, further addresses of a hop are in lines of their own", () => {
    const output = ` 1  192.168.1.1  2.134 ms  1.870 ms
 2  198.51.100.17  8.911 ms
    198.51.100.21  9.012 ms
 3  * *
 4  203.0.113.9  12.301 ms  12.277 ms

traceroute to mesh.example (203.0.113.9), 30 hops max, 40 byte packets
`;
    expect(parseRoute("traceroute", output)).toBe(4);
  });

  test("of FreeBSD's traceroute6", () => {
    const output = ` 1  2001:db8:1::1  0.3 ms  0.2 ms
 2  2001:db8:9::1  5.4 ms  5.1 ms
traceroute6 to mesh.example (2001:db8:9::1) from 2001:db8:1::20, 30 hops max, 28 byte packets
`;
    expect(parseRoute("traceroute", output)).toBe(2);
  });

  test("of BusyBox", () => {
    const output = `traceroute to 203.0.113.9 (203.0.113.9), 30 hops max, 46 byte packets
 1  172.17.0.1  0.009 ms  0.007 ms
 2  203.0.113.9  0.604 ms  0.531 ms
`;
    expect(parseRoute("traceroute", output)).toBe(2);
  });

  test("gives nothing if the destination did not answer", () => {
    const silent = Array.from({ length: 28 }, (_, n) => ` ${n + 3}  * *`).join("\n");
    const output = `traceroute to mesh.example (203.0.113.9), 30 hops max, 60 byte packets
 1  192.168.1.1  0.412 ms  0.501 ms
 2  198.51.100.17  8.911 ms  8.7 ms
${silent}
`;
    expect(parseRoute("traceroute", output)).toBeNull();
  });

  test.for(["!H", "!N", "!X"])("gives nothing if a router says %s", (mark) => {
    const output = `traceroute to mesh.example (203.0.113.9), 30 hops max, 60 byte packets
 1  192.168.1.1  0.412 ms  0.501 ms
 2  198.51.100.17  3008.9 ms ${mark}  3008.7 ms ${mark}
`;
    expect(parseRoute("traceroute", output)).toBeNull();
  });

  test("counts a destination that answers and forbids the probe", () => {
    const output = `traceroute to mesh.example (203.0.113.9), 30 hops max, 60 byte packets
 1  192.168.1.1  0.412 ms  0.501 ms
 2  203.0.113.9  8.9 ms !X  8.7 ms !X
`;
    expect(parseRoute("traceroute", output)).toBe(2);
  });

  test("does not take an address that begins like the destination's for it", () => {
    const output = `traceroute to mesh.example (203.0.113.9), 30 hops max, 60 byte packets
 1  203.0.113.90  0.412 ms  0.501 ms
 2  * *
`;
    expect(parseRoute("traceroute", output)).toBeNull();
  });
});

describe("the output of tracepath", () => {
  test("gives the hop that was reached", () => {
    const output = ` 1?: [LOCALHOST]                      pmtu 1500
 1:  192.168.1.1                                           0.598ms
 1:  192.168.1.1                                           0.467ms
 2:  198.51.100.17                                         8.102ms asymm  3
 3:  no reply
 4:  203.0.113.9                                          12.302ms reached
     Resume: pmtu 1500 hops 4 back 5
`;
    expect(parseRoute("tracepath", output)).toBe(4);
  });

  test("over IPv6", () => {
    const output = ` 1?: [LOCALHOST]                        0.011ms pmtu 1500
 1:  2001:db8:1::1                                         0.814ms
 2:  2001:db8:9::1                                         9.201ms reached
     Resume: pmtu 1500 hops 2 back 2
`;
    expect(parseRoute("tracepath", output)).toBe(2);
  });

  test.for([
    [
      "stops answering",
      ` 1:  192.168.1.1   0.467ms
 2:  no reply
 3:  no reply
     Too many hops: pmtu 1500
     Resume: pmtu 1500
`,
    ],
    [
      "is unreachable",
      ` 1:  192.168.1.1   0.467ms
 2:  198.51.100.17   8.102ms !H
     Resume: pmtu 1500
`,
    ],
  ] as const)("gives nothing if the path %s", ([, output]) => {
    expect(parseRoute("tracepath", output)).toBeNull();
  });
});

describe("the report of mtr", () => {
  test("gives the last hop", () => {
    const output = `Start: 2026-11-28T14:00:00+0000
HOST: worker-1                    Loss%   Snt   Last   Avg  Best  Wrst StDev
  1.|-- 192.168.1.1                0.0%     2    0.4   0.4   0.4   0.4   0.0
  2.|-- ???                       100.0     2    0.0   0.0   0.0   0.0   0.0
  3.|-- 198.51.100.17             50.0%     2    8.9   8.9   8.9   8.9   0.0
  4.|-- 203.0.113.9                0.0%     2   12.3  12.3  12.2  12.3   0.0
`;
    expect(parseRoute("mtr", output)).toBe(4);
  });

  test("over IPv6, of an old version", () => {
    const output = `HOST: worker-1                    Loss%   Snt   Last   Avg  Best  Wrst StDev
  1. 2001:db8:1::1                 0.0%     2    0.4   0.4   0.4   0.4   0.0
  2. 2001:db8:9::1                 0.0%     2   12.3  12.3  12.2  12.3   0.0
`;
    expect(parseRoute("mtr", output)).toBe(2);
  });

  test("gives nothing if the destination did not answer", () => {
    const output = `HOST: worker-1                    Loss%   Snt   Last   Avg  Best  Wrst StDev
  1.|-- 192.168.1.1                0.0%     2    0.4   0.4   0.4   0.4   0.0
  2.|-- ???                       100.0     2    0.0   0.0   0.0   0.0   0.0
`;
    expect(parseRoute("mtr", output)).toBeNull();
  });
});

describe("any output", () => {
  test.for(ROUTE_TOOLS)("of %s gives nothing or 1 to 64 hops", (tool) => {
    const word = fc.oneof(
      fc.constantFrom("1", "65", "999", "1.|--", "7:", "reached", "* *", "203.0.113.9", "\n"),
      fc.string(),
    );
    const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(text, (body) => {
        const output = `traceroute to mesh.example (203.0.113.9), 30 hops max\n${body}`;
        const hops = parseRoute(tool, output) ?? 1;
        expect(hops >= 1 && hops <= 64).toBe(true);
      }),
    );
  });

  test.for(ROUTE_TOOLS)("of %s that is empty or an error gives nothing", (tool) => {
    expect(parseRoute(tool, "")).toBeNull();
    expect(parseRoute(tool, "mesh.example: Name or service not known\n")).toBeNull();
  });
});
