import { expect, test } from "vitest";
import { NO_OUTBOUND_ALLOW } from "../../src/protocol/outbound-allow.ts";
import { portFault } from "../../src/protocol/outbound-ports.ts";
import { outboundUrl } from "../../src/protocol/outbound-url.ts";

/** The "bad ports" of the Fetch standard. */
const FETCH_BAD_PORTS = [
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10080,
];
/** What a request could command: databases, caches, brokers, and what controls machines. */
const SERVICES = [
  22, 25, 88, 445, 631, 873, 1433, 1521, 1883, 2181, 2222, 2375, 2376, 2379, 2380, 3128, 3306, 3389,
  4222, 4369, 5432, 5555, 5671, 5672, 5900, 5984, 5985, 6379, 6380, 6443, 7687, 8009, 8200, 8500,
  9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672, 26257, 26379, 27017, 61613, 61616,
];
const WEB = [
  80, 443, 1024, 3000, 4433, 5000, 7443, 8000, 8080, 8081, 8443, 8787, 8888, 9000, 9443, 10443,
  32768, 50000, 65535,
];

const judged = (port: number, scheme: "https" | "ws") =>
  outboundUrl(`${scheme}://example.com:${port}/`, {
    schemes: ["https", "ws"],
    allowLoopback: false,
    allow: NO_OUTBOUND_ALLOW,
  });

test.each([...FETCH_BAD_PORTS, ...SERVICES])("CB47 port %i is refused", (port) => {
  for (const scheme of ["https", "ws"] as const)
    expect(judged(port, scheme)).toMatchObject({ ok: false, error: { code: "port" } });
});

test.each(WEB)("CB47 port %i is called", (port) => {
  expect(judged(port, "https").ok).toBe(true);
  expect(judged(port, "ws").ok).toBe(true);
});

test("CB47 every port below 1024 except 80 and 443 is refused, and says which to use", () => {
  for (let port = 0; port < 1_024; port++)
    expect([port, portFault(String(port)) === null]).toEqual([port, port === 80 || port === 443]);
  expect(portFault("6379")).toBe("it is the port of Redis; use another one");
});
