import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { muster } from "./command-run.ts";

const ALERT = {
  alert: "peer_down",
  key: `peer_down:${"12".repeat(16)}`,
  peer: "12".repeat(16),
  kind: null,
  since: "2026-11-22T12:00:00.000Z",
  fired_at: "2026-11-22T12:05:00.000Z",
  value: 300,
  threshold: 300,
  message: "peer gpu\u001b[2J was lost",
};

/** A mesh with some alerts. */
let alerts: readonly (typeof ALERT)[] = [];
let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer((request, response) => {
    const isKnown = request.url === "/v1/alerts";
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? { alerts } : {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

const run = (...more: string[]) => muster("alerts", "--url", url, "--token", "t", ...more);

describe("muster alerts", () => {
  test("CL90 prints a line for each alert that fires, with what others write escaped", async () => {
    alerts = [ALERT];
    const { code, out } = await run();
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    expect(out).toContain(`${ALERT.since}  ${ALERT.key}  peer gpu`);
    expect(out).not.toContain("\u001b");
  });

  test("CL90 says if no alert fires", async () => {
    alerts = [];
    expect((await run()).out).toBe("no alert fires\n");
  });

  test("SK50 CL90 prints the alerts as the mesh has them with --json", async () => {
    alerts = [ALERT];
    expect(JSON.parse((await run("--json")).out)).toEqual({ alerts: [ALERT] });
  });
});
