import { describe, expect, test } from "vitest";
import type { Route } from "../../../src/protocol/route.ts";
import { waitFor } from "../../wait-for.ts";
import { NoiseMesh } from "../noise-mesh.ts";

const ROUTE: Route = { hops: 14, tool: "traceroute" };

describe("a peer that joins", () => {
  test("SC19 reports the hops that it measured to the host of the mesh", async () => {
    const mesh = new NoiseMesh();
    const hosts: string[] = [];
    const measureRoute = (host: string) => {
      hosts.push(host);
      return Promise.resolve(ROUTE);
    };
    const peer = mesh.connect({ platform: { measureRoute } });
    await waitFor(() => expect(mesh.routes).toEqual([ROUTE]));
    expect(hosts).toEqual(["mesh.test"]);
    expect(mesh.events).toContainEqual({ type: "route_measured", ...ROUTE });
    await peer.close();
  });

  test("SC19 measures nothing with measureHops: false", async () => {
    const mesh = new NoiseMesh();
    let measured = 0;
    const measureRoute = () => Promise.resolve(++measured === 0 ? ROUTE : null);
    const peer = mesh.connect({ measureHops: false, platform: { measureRoute } });
    await peer.ready;
    expect(measured).toBe(0);
    await peer.close();
  });
});
