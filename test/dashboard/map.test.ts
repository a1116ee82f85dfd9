import { describe, expect, it } from "vitest";
import { worldOutline } from "../../dashboard/build/world-outline.ts";
import { latencyPoint, latencyScale, radiusAt } from "../../dashboard/src/model/latency-plot.ts";
import { mapPeers, regionRows, taskLines } from "../../dashboard/src/model/map-peers.ts";
import { spotAt, spotsOf } from "../../dashboard/src/model/map-spots.ts";
import { scoreColor } from "../../dashboard/src/model/score-color.ts";
import { landOutlines, MAP_RATIO, onMap } from "../../dashboard/src/model/world-map.ts";
import type { MapView } from "../../src/protocol/http.ts";
import { samplePeer, sampleTask } from "./samples.ts";

const id = (n: number): string => n.toString(16).padStart(32, "0");
const NOW = Date.parse("2026-01-01T01:00:00Z");

describe("the map of the world", () => {
  it("DB26 has the outline that follows from Natural Earth's", async () => {
    await expect(await worldOutline()).toMatchFileSnapshot(
      "../../dashboard/src/model/world-outline.ts",
    );
  });

  it("DB26 has all of the land within the picture", () => {
    const points = landOutlines().flat();
    expect(points.length).toBeGreaterThan(2_000);
    const outside = points.filter(([x, y]) => x < -0.01 || x > 1.01 || y < 0 || y > MAP_RATIO);
    expect(outside).toEqual([]);
  });

  it("DB26 has north above south, west left of east, and its middle where both are zero", () => {
    const [x, y] = onMap(0, 0);
    expect(x).toBe(0.5);
    expect(onMap(0, 52)[1]).toBeLessThan(y);
    expect(onMap(-74, 40)[0]).toBeLessThan(0.5);
    expect(onMap(0, 90)[1]).toBe(0);
    expect(onMap(0, -90)[1]).toBeCloseTo(MAP_RATIO, 9);
  });
});

describe("the spots of a picture", () => {
  const peers = Array.from({ length: 10_000 }, (_, n) => samplePeer({ id: id(n), score: n % 2 }));

  it("DB27 are few however many peers there are, do not cover each other, and have every peer once", () => {
    const placed = peers.map((peer, n) => ({
      peer,
      at: [(n * 7.3) % 900, (n * 3.1) % 400] as const,
    }));
    const spots = spotsOf(placed);
    expect(spots.length).toBeLessThan(1_000);
    expect(new Set(spots.flatMap((spot) => spot.peers)).size).toBe(peers.length);
    expect(spots.reduce((sum, { peers: { length } }) => sum + length, 0)).toBe(peers.length);
  });

  it("DB27 have the mean score, and are found at their place or a little beside it", () => {
    const [one, other, far] = peers.slice(0, 3) as [
      (typeof peers)[0],
      (typeof peers)[0],
      (typeof peers)[0],
    ];
    const spots = spotsOf([
      { peer: one, at: [100, 100] },
      { peer: other, at: [102, 100] },
      { peer: far, at: [300, 100] },
    ]);
    expect(spots.map(({ score, peers: { length } }) => [score, length])).toEqual([
      [0.5, 2],
      [0, 1],
    ]);
    expect(spotAt(spots, [104, 101])?.peers).toEqual([one, other]);
    expect(spotAt(spots, [308, 100])?.peers).toEqual([far]);
    expect(spotAt(spots, [200, 100])).toBeNull();
    expect(spotsOf([])).toEqual([]);
  });

  it("DB27 have colors from low to high scores", () => {
    const colors = { low: "#ff0000", medium: "#ffff00", high: "#00ff00" };
    expect([0, 0.25, 0.5, 1, 7].map((score) => scoreColor(score, colors))).toEqual([
      "rgb(255 0 0)",
      "rgb(255 128 0)",
      "rgb(255 255 0)",
      "rgb(0 255 0)",
      "rgb(0 255 0)",
    ]);
  });
});

describe("what is on the map", () => {
  const map: MapView = {
    mesh: {},
    truncated: false,
    peers: [{ id: id(1), region: "weur" }, { id: id(2) }, { id: id(3), region: "weur" }],
  };
  const peers = new Map(
    [
      samplePeer({ id: id(1), score: 0.2, ping_ms: 10 }),
      samplePeer({ id: id(2), ping_ms: null }),
      samplePeer({ id: id(3), score: 0.6, ping_ms: 30 }),
      samplePeer({ id: id(4) }),
    ].map((peer) => [peer.id, peer] as const),
  );

  it("DB26 are the peers that are connected, as far as the page knows", () => {
    const gone = new Map(peers).set(id(3), samplePeer({ id: id(3), connected: false }));
    expect(mapPeers(map, gone).map(({ peer }) => peer.id)).toEqual([id(1), id(2)]);
    expect(mapPeers(map, new Map())).toEqual([]);
  });

  it("DB29 are the same peers in a table by regions", () => {
    const rows = regionRows(mapPeers(map, peers));
    expect(rows.map(({ id: region, peers: { length }, ping }) => [region, length, ping])).toEqual([
      ["weur", 2, 10],
      ["unknown", 1, null],
    ]);
    expect(rows[0]?.score).toBeCloseTo(0.4, 9);
    expect(rows[0]?.peers.map((peer) => peer.id)).toEqual([id(3), id(1)]);
  });

  it("DB28 are lines for the tasks that run or ended within a minute, from their owner if it is a peer on the map", () => {
    const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1_000).toISOString();
    const tasks = [
      sampleTask({ peer_id: id(1), owner: "admin", ended_at: at(59) }),
      sampleTask({ peer_id: id(1), owner: "admin", ended_at: null }),
      sampleTask({ peer_id: id(1), owner: id(2), ended_at: null }),
      sampleTask({ peer_id: id(1), owner: id(9), ended_at: at(10) }),
      sampleTask({ peer_id: id(1), owner: "admin", ended_at: at(61) }),
      sampleTask({ peer_id: null, ended_at: null }),
    ];
    expect(taskLines(tasks, new Set([id(1), id(2)]), NOW)).toEqual([
      { from: null, to: id(1), tasks: 3 },
      { from: id(2), to: id(1), tasks: 1 },
    ]);
  });
});

describe("the picture of round trips", () => {
  it("DB30 has rings up to the slowest peers, of which the slowest hundredth is at the rim", () => {
    expect(latencyScale([3, 8, 80])).toEqual({ rim: 100, rings: [10, 20, 50, 100] });
    expect(latencyScale([0.4])).toEqual({ rim: 1, rings: [1] });
    expect(latencyScale([])).toEqual({ rim: 1, rings: [1] });
    const pings = [...Array<number>(199).fill(9), 90_000];
    expect(latencyScale(pings).rim).toBe(10);
    expect(radiusAt(90_000, 10)).toBe(1);
    expect(latencyScale([90_000]).rim).toBe(10_000);
  });

  it("DB30 has a peer as far from the mesh as its round trip is long, in the direction of its network coordinate", () => {
    const peer = samplePeer({ ping_ms: 25 });
    const [x, y] = latencyPoint(peer, { x_ms: 0, y_ms: 7 }, 0, 100) ?? [];
    expect(x).toBeCloseTo(0, 9);
    expect(y).toBeCloseTo(0.5, 9);
    const unknown = latencyPoint(peer, undefined, 3, 100) ?? [];
    expect(Math.hypot(unknown[0] as number, unknown[1] as number)).toBeCloseTo(0.5, 9);
    expect(latencyPoint(samplePeer({ ping_ms: null }), undefined, 0, 100)).toBeNull();
  });
});
