import { describe, expect, test } from "vitest";
import { DEFAULT_THRESHOLDS, type AlertThresholds } from "../../../src/alerts/thresholds.ts";
import { DAY, HOUR, MINUTE, SECOND, type Millis } from "../../../src/base/clock.ts";
import { RECONNECT_DELAY_MAX } from "../../../src/protocol/constants.ts";
import { RESTART_PAUSE_MAX } from "../../../src/protocol/drain-limits.ts";
import { backupTables } from "../../../src/registry/backup-tables.ts";
import { testKey, KEYS, TestMesh, type Key, type TestPeer } from "../mesh.ts";

const [A, B] = KEYS;

const alertingMesh = (
  alerts: Partial<AlertThresholds> = {},
  others: { readonly reconnectSpread?: Millis } = {},
) => {
  const thresholds = { ...DEFAULT_THRESHOLDS, ...alerts };
  const mesh = new TestMesh({ config: { alerts: thresholds, ...others } });
  follow(mesh);
  return mesh;
};
/** Somebody follows the events from now on. */
function follow(mesh: TestMesh): void {
  mesh.registry.events.follow(mesh.now);
  mesh.registry.events.keepWhile(() => true);
}
const restart = (mesh: TestMesh): void => {
  mesh.restart();
  mesh.registry.events.keepWhile(() => true);
};
const listed = (mesh: TestMesh, key: Key): TestPeer => {
  const { id: peerId, publicKey } = key;
  const entry = { peerId, publicKey, label: "", readmit: false, go_p2p: false };
  mesh.run("allow", { ...entry, roles: ["worker"] });
  return mesh.join(key);
};
const lose = (peer: TestPeer) => peer.leave("the connection vanished", true);
const keysOf = (mesh: TestMesh) => mesh.run("list_alerts", {}).alerts.map(({ key }) => key);
const told = (mesh: TestMesh): readonly string[] =>
  mesh.registry.events
    .read(null, 10_000)
    .events.flatMap(({ event }) => ("alert" in event ? [`${event.type} ${event.key}`] : []));

describe("alerts of a coordinator", () => {
  test("EV24 EV25 a lost peer fires once, is listed with what its event says, and ends two minutes after it is back", () => {
    const mesh = alertingMesh();
    const peer = listed(mesh, A);
    mesh.runFor(HOUR);
    lose(peer);
    const lostAt = mesh.now;
    mesh.runFor(5 * MINUTE - 1);
    expect(keysOf(mesh)).toEqual([]);
    mesh.runFor(1);
    const [alert] = mesh.run("list_alerts", {}).alerts;
    expect(alert).toMatchObject({
      alert: "peer_down",
      key: `peer_down:${A.id}`,
      peer: A.id,
      kind: null,
      since: new Date(lostAt).toISOString(),
      fired_at: new Date(mesh.now).toISOString(),
      threshold: 300,
    });
    const { fired_at: _, ...said } = alert ?? {};
    const events = mesh.registry.events.read(null, 10_000).events;
    expect(events.at(-1)?.event).toEqual({ type: "alert.firing", ...said });
    mesh.runFor(DAY);
    peer.join();
    mesh.runFor(2 * MINUTE - SECOND);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`]);
    mesh.runFor(2 * SECOND);
    expect(keysOf(mesh)).toEqual([]);
    mesh.runFor(DAY);
    expect(told(mesh)).toEqual([
      `alert.firing peer_down:${A.id}`,
      `alert.resolved peer_down:${A.id}`,
    ]);
  });

  test("EV27 a peer that says goodbye is not lost, nor is a stranger, nor one that is cordoned, drained or revoked", () => {
    const mesh = alertingMesh();
    const [left, cordoned, drained, revoked] = KEYS.map((key) => listed(mesh, key));
    const stranger = mesh.join(testKey(900));
    left?.leave();
    lose(stranger);
    for (const peer of [cordoned, drained, revoked]) if (peer !== undefined) lose(peer);
    mesh.run("schedule_peer", { id: cordoned?.id ?? "", action: "cordon" });
    mesh.run("schedule_peer", { id: drained?.id ?? "", action: "drain", timeoutMs: MINUTE });
    mesh.run("revoke_peer", { id: revoked?.id ?? "" });
    mesh.runFor(DAY);
    expect(told(mesh)).toEqual([]);
  });

  test("EV27 an alert ends at once when its peer is cordoned, taken from the allowlist or removed", () => {
    const mesh = alertingMesh();
    for (const key of [A, B]) lose(listed(mesh, key));
    mesh.runFor(10 * MINUTE);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`, `peer_down:${B.id}`]);
    mesh.run("schedule_peer", { id: A.id, action: "cordon" });
    mesh.run("disallow", { publicKey: B.publicKey });
    mesh.runFor(SECOND);
    expect(keysOf(mesh)).toEqual([]);
  });

  test("EV27 a peer whose session ended with the mesh, and that does not come back, is lost", () => {
    const mesh = alertingMesh();
    for (const key of [A, B]) listed(mesh, key);
    mesh.run("drain_mesh", { before: mesh.now + 1, pauseMs: 0 });
    restart(mesh);
    mesh.join(A);
    mesh.runFor(10 * MINUTE);
    expect(keysOf(mesh)).toEqual([`peer_down:${B.id}`]);
  });

  test("EV28 a hundred peers that are lost at once are one alert, and none when they come back within two minutes", () => {
    const mesh = alertingMesh();
    const peers = Array.from({ length: 100 }, (_, index) => listed(mesh, testKey(1_000 + index)));
    for (const peer of peers) lose(peer);
    mesh.runFor(MINUTE);
    for (const peer of peers) peer.join();
    mesh.runFor(HOUR);
    expect(told(mesh)).toEqual([]);
    for (const peer of peers) lose(peer);
    mesh.runFor(DAY);
    expect(told(mesh)).toEqual(["alert.firing mass_failure"]);
    for (const peer of peers) peer.join();
    mesh.runFor(HOUR);
    expect(told(mesh)).toEqual(["alert.firing mass_failure", "alert.resolved mass_failure"]);
  });

  test("EV24 EV30 a task that waits becomes an alert without any other command, and so does one that is scheduled or paused", () => {
    const mesh = alertingMesh();
    mesh.submit({ kind: "echo", deadline_seconds: 86_400 });
    mesh.submit({
      kind: "later",
      deadline_seconds: 86_400,
      not_before: new Date(mesh.now + HOUR).toISOString(),
    });
    mesh.runFor(15 * MINUTE);
    expect(keysOf(mesh)).toEqual(["queue_old:echo"]);
    mesh.runFor(59 * MINUTE);
    expect(keysOf(mesh)).toEqual(["queue_old:echo"]);
    mesh.runFor(MINUTE);
    expect(keysOf(mesh)).toEqual(["queue_old:echo", "queue_old:later"]);
    const peer = mesh.join(A);
    for (let done = 0; done < 2; done++) {
      peer.accept();
      peer.finish();
    }
    mesh.runFor(3 * MINUTE);
    expect(keysOf(mesh)).toEqual([]);
  });

  test.each([
    ["without a pause", 0, 2 * SECOND],
    ["with a long pause", RESTART_PAUSE_MAX, 2 * SECOND],
    ["of a mesh whose peers spread their reconnects", 0, RECONNECT_DELAY_MAX],
    ["with both", RESTART_PAUSE_MAX, RECONNECT_DELAY_MAX],
  ])(
    "EV38 a planned restart %s is no alert while peers keep to their times",
    (_, pauseMs, reconnectSpread) => {
      const mesh = alertingMesh({}, { reconnectSpread });
      const peers = Array.from({ length: 20 }, (_none, index) =>
        listed(mesh, testKey(900 + index)),
      );
      mesh.runFor(HOUR);
      mesh.run("drain_mesh", { before: mesh.now + 1, pauseMs });
      restart(mesh);
      mesh.runFor(pauseMs);
      for (const peer of peers) {
        mesh.runFor(reconnectSpread / peers.length);
        peer.join();
      }
      mesh.runFor(HOUR);
      expect(told(mesh)).toEqual([]);
    },
  );

  test("EV38 peers that do not come back from a planned restart are an alert, whose time is the end of the pause", () => {
    const mesh = alertingMesh();
    for (let index = 0; index < 20; index++) listed(mesh, testKey(900 + index));
    mesh.run("drain_mesh", { before: mesh.now + 1, pauseMs: RESTART_PAUSE_MAX });
    const expectedAt = mesh.now + RESTART_PAUSE_MAX;
    restart(mesh);
    mesh.runFor(RESTART_PAUSE_MAX + 2 * MINUTE);
    const { alerts } = mesh.run("list_alerts", {});
    expect(alerts.map(({ key, since }) => [key, since])).toEqual([
      ["mass_failure", new Date(expectedAt).toISOString()],
    ]);
  });

  test("EV38 a peer whose connection breaks may take as long as peers spread their reconnects", () => {
    const mesh = alertingMesh({}, { reconnectSpread: 8 * MINUTE });
    const peer = listed(mesh, A);
    lose(peer);
    mesh.runFor(9 * MINUTE);
    expect(keysOf(mesh)).toEqual([]);
    mesh.runFor(MINUTE);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`]);
  });

  /** A peer whose circuit is open, of a kind of which no more tasks come. */
  function failingPeer(mesh: TestMesh): TestPeer {
    const peer = listed(mesh, A);
    const submit = () => mesh.submit({ kind: "resize", deadline_seconds: 86_400, max_attempts: 1 });
    for (let failures = 0; failures < 20; failures++) {
      submit();
      if (peer.offers.length > failures) {
        peer.accept();
        peer.fail("it broke");
      }
    }
    expect(mesh.registry.circuits.resting.counts.kind).toBe(1);
    return peer;
  }

  test("EV24 a circuit that stays open is an alert of its peer and kind", () => {
    const mesh = alertingMesh({ queueOld: null });
    failingPeer(mesh);
    mesh.runFor(6 * MINUTE);
    expect(keysOf(mesh)).toContain(`circuit_open:${A.id}:resize`);
  });

  test("EV39 a circuit is no alert while its peer has left in good order, and is one again when the peer comes back", () => {
    const mesh = alertingMesh({ queueOld: null });
    const peer = failingPeer(mesh);
    peer.leave();
    mesh.runFor(DAY);
    expect(told(mesh)).toEqual([]);
    peer.join();
    mesh.runFor(6 * MINUTE);
    expect(keysOf(mesh)).toEqual([`circuit_open:${A.id}:resize`]);
    // A peer that restarts does not end its alert.
    for (let restarts = 0; restarts < 3; restarts++) {
      peer.leave();
      mesh.runFor(MINUTE);
      peer.join();
      mesh.runFor(MINUTE);
    }
    expect(told(mesh)).toEqual([`alert.firing circuit_open:${A.id}:resize`]);
    peer.leave();
    mesh.runFor(3 * MINUTE);
    expect(keysOf(mesh)).toEqual([]);
  });

  test("EV30 alerts go on after a restart and after hibernation: none fires twice, and one that ended meanwhile ends", () => {
    const mesh = alertingMesh();
    const [peer, other] = [listed(mesh, A), listed(mesh, B)];
    lose(peer);
    mesh.runFor(4 * MINUTE);
    restart(mesh);
    mesh.runFor(MINUTE);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`]);
    restart(mesh);
    lose(other);
    mesh.runFor(HOUR);
    peer.join();
    mesh.runFor(MINUTE);
    restart(mesh);
    mesh.runFor(MINUTE + SECOND);
    expect(keysOf(mesh)).toEqual([`peer_down:${B.id}`]);
    expect(told(mesh)).toEqual([
      `alert.firing peer_down:${A.id}`,
      `alert.firing peer_down:${B.id}`,
      `alert.resolved peer_down:${A.id}`,
    ]);
  });

  test("EV30 a mesh in which nothing is wrong, and one whose alerts go on, needs no tick for them", () => {
    const mesh = alertingMesh();
    const peer = listed(mesh, A);
    const untilTick = () => (mesh.nextTick() ?? Infinity) - mesh.now;
    mesh.runFor(HOUR);
    expect(untilTick()).toBeGreaterThan(10 * MINUTE);
    lose(peer);
    mesh.runFor(HOUR);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`]);
    expect(untilTick()).toBeGreaterThan(10 * MINUTE);
    restart(mesh);
    mesh.runFor(SECOND);
    expect(untilTick()).toBeGreaterThan(10 * MINUTE);
  });

  test("EV30 a transaction that fails leaves no alert behind, and the next one fires it", () => {
    const mesh = alertingMesh();
    lose(listed(mesh, A));
    mesh.advanceClock(10 * MINUTE);
    expect(() =>
      mesh.registry.transaction(() => {
        mesh.tick();
        throw new Error("the disk is full");
      }),
    ).toThrow("the disk is full");
    expect(keysOf(mesh)).toEqual([]);
    mesh.runFor(SECOND);
    expect(keysOf(mesh)).toEqual([`peer_down:${A.id}`]);
  });

  test("EV32 alerts are in a backup, and their events are not for controllers", () => {
    const mesh = alertingMesh();
    expect(backupTables(mesh.sql).map(({ name }) => name)).toContain("alerts");
    lose(listed(mesh, A));
    mesh.runFor(HOUR);
    const filter = { types: ["alert."], kind: null, owner: null, peer: null, tasks: [] };
    const page = (visibleTo: string | null) =>
      mesh.run("list_events", { filter: { ...filter, visibleTo }, after: null, limit: 100 });
    expect(page(null).events).toHaveLength(1);
    expect(page("some-token").events).toEqual([]);
  });
});
