import { describe, expect, test } from "vitest";
import { DEFAULT_THRESHOLDS } from "../../../src/alerts/thresholds.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import type { AlertRequest } from "../../../src/contract/alerts.ts";
import type { AlertNotice } from "../../../src/protocol/http.ts";
import { backupTables } from "../../../src/registry/backup-tables.ts";
import { verifyDelivery } from "../../../src/webhooks/index.ts";
import { must, present } from "../../must.ts";
import { KEYS, TestMesh } from "../mesh.ts";

const [A] = KEYS;
const PAGER = "https://pager.example/hook";
const CHAT = "https://chat.example/hook";

const tellingMesh = (...alertWebhooks: string[]) =>
  new TestMesh({ config: { alerts: { ...DEFAULT_THRESHOLDS, massFailure: null }, alertWebhooks } });

function lose(mesh: TestMesh) {
  const { id: peerId, publicKey } = A;
  const entry = { peerId, publicKey, label: "", readmit: false, go_p2p: false };
  mesh.run("allow", { ...entry, roles: ["worker"] });
  const peer = mesh.join(A);
  peer.leave("the connection vanished", true);
  mesh.runFor(5 * MINUTE + SECOND);
  return peer;
}
const claim = (mesh: TestMesh, ...inProgress: string[]): AlertRequest | null =>
  mesh.run("claim_alert", { inProgress }).request;
const answer = (mesh: TestMesh, { id, receiver }: AlertRequest, status: number | null) =>
  mesh.run("alert_answered", { id, receiver, answer: { status, error: null, retryAfter: null } });
const logged = (mesh: TestMesh) => mesh.effectsOfType("log").map(({ entry }) => entry);
const noticeOf = ({ body }: AlertRequest): AlertNotice => JSON.parse(body) as AlertNotice;

describe("alert webhooks", () => {
  test("EV34 are told when an alert fires and when it ends, signed like callbacks with the operator's secret of the receiver", () => {
    const mesh = tellingMesh(PAGER);
    const peer = lose(mesh);
    const fired = present(claim(mesh));
    expect(fired).toMatchObject({ url: PAGER, timeoutMs: 15 * SECOND });
    const { alerts } = mesh.run("list_alerts", {});
    expect(noticeOf(fired)).toMatchObject({ type: "alert.firing", data: alerts[0] });
    const { secret } = mesh.run("get_callback_secret", {
      owner: "admin",
      url: PAGER,
      visibleTo: null,
    });
    const headers = new Headers(fired.headers);
    const body = utf8(fired.body);
    const verified = verifyDelivery(
      { scheme: "standard-webhooks" },
      { secrets: [secret], headers, body, now: mesh.now },
    );
    expect(must(verified).deliveryId).toBe(fired.id);
    answer(mesh, fired, 204);
    expect(claim(mesh)).toBeNull();
    peer.join();
    mesh.runFor(3 * MINUTE);
    expect(noticeOf(present(claim(mesh))).type).toBe("alert.resolved");
  });

  test("EV35 a receiver that fails is tried again with the pauses of callbacks, under the same ID, also after a restart, and given up in the end", () => {
    const mesh = tellingMesh(PAGER);
    lose(mesh);
    const ids = new Set<string>();
    let attempts = 0;
    for (let round = 0; round < 40; round++) {
      const request = claim(mesh);
      if (request === null) {
        const due = mesh.registry.alertDeliveries.nextDue(mesh.now);
        if (due === null) break;
        mesh.now = due;
        continue;
      }
      attempts++;
      ids.add(request.id);
      mesh.restart();
      answer(mesh, request, round % 2 === 0 ? 500 : null);
    }
    expect([attempts, ids.size]).toEqual([12, 1]);
    expect(claim(mesh)).toBeNull();
  });

  test("EV35 an attempt whose outcome is lost is repeated after thirty seconds", () => {
    const mesh = tellingMesh(PAGER);
    lose(mesh);
    const first = present(claim(mesh));
    expect(claim(mesh)).toBeNull();
    mesh.restart();
    expect((mesh.nextTick() ?? Infinity) - mesh.now).toBeLessThanOrEqual(30 * SECOND);
    mesh.advanceClock(30 * SECOND);
    expect(present(claim(mesh)).id).toBe(first.id);
  });

  test("EV31 a delivery of a time before the clock was set back is due at once, and so is its tick", () => {
    const mesh = tellingMesh(PAGER);
    mesh.now += 300 * DAY;
    lose(mesh);
    answer(mesh, present(claim(mesh)), 500);
    mesh.now -= 300 * DAY;
    expect(mesh.nextTick() ?? Infinity).toBeLessThanOrEqual(mesh.now + 30 * SECOND);
    answer(mesh, present(claim(mesh)), 500);
    expect(claim(mesh)).toBeNull();
    expect((mesh.nextTick() ?? Infinity) - mesh.now).toBeLessThanOrEqual(15 * SECOND);
  });

  test("EV35 an attempt whose outcome is always lost is made twelve times, too", () => {
    const mesh = tellingMesh(PAGER);
    lose(mesh);
    let attempts = 0;
    for (let round = 0; round < 20; round++) {
      if (claim(mesh) !== null) attempts++;
      mesh.advanceClock(30 * SECOND);
    }
    expect(attempts).toBe(12);
    expect(mesh.rows("SELECT * FROM alert_deliveries")).toEqual([]);
  });

  test("EV34 EV35 the log says that an alert fires, that a receiver was not told, by its host alone, and that the alert has ended", () => {
    const mesh = tellingMesh(`${PAGER}/5ecret`);
    const peer = lose(mesh);
    const alert = `peer_down:${A.id}`;
    expect(logged(mesh)).toMatchObject([
      { event: "alert.fired", values: { alert, peer: A.id, kind: null } },
    ]);
    answer(mesh, present(claim(mesh)), 410);
    const lost = { alert, host: "pager.example", attempts: 1, status: 410 };
    expect(logged(mesh).at(-1)).toEqual({ event: "alert.given_up", values: lost });
    peer.join();
    mesh.runFor(3 * MINUTE);
    expect(logged(mesh).at(-1)).toEqual({
      event: "alert.ended",
      values: { alert, peer: A.id, kind: null },
    });
  });

  test("EV36 a receiver that is away is told how things are: a newer notice about an alert replaces the older one", () => {
    const mesh = tellingMesh(PAGER);
    const peer = lose(mesh);
    const lost = present(claim(mesh));
    peer.join();
    mesh.runFor(3 * MINUTE);
    answer(mesh, lost, null); // too late: it was replaced
    const next = present(claim(mesh));
    expect(noticeOf(next).type).toBe("alert.resolved");
    expect(next.id).not.toBe(lost.id);
    answer(mesh, next, 200);
    mesh.advanceClock(DAY);
    expect(claim(mesh)).toBeNull();
  });

  test("EV36 receivers do not wait for each other, and at most 500 deliveries wait", () => {
    const mesh = tellingMesh(PAGER, CHAT);
    lose(mesh);
    const first = present(claim(mesh));
    const second = present(claim(mesh, first.receiver));
    expect([first.receiver, second.receiver].toSorted()).toEqual([CHAT, PAGER]);
    expect(claim(mesh, CHAT, PAGER)).toBeNull();
    for (let index = 0; index < 600; index++)
      mesh.registry.alertDeliveries.put({
        url: PAGER,
        key: `queue_old:${index}`,
        id: String(index),
        body: "{}",
        dueAt: mesh.now,
        attempts: 0,
      });
    expect(mesh.rows("SELECT COUNT(*) AS n FROM alert_deliveries")).toEqual([{ n: 500 }]);
  });

  test("EV37 a URL that the outbound filter refuses is not called, and one that is not configured any more is forgotten", () => {
    const mesh = tellingMesh("http://10.0.0.1/hook", PAGER);
    lose(mesh);
    expect(present(claim(mesh)).url).toBe(PAGER);
    expect(claim(mesh, PAGER)).toBeNull();
    const other = new TestMesh({ sql: mesh.sql, config: { alertWebhooks: [CHAT] } });
    other.now = mesh.now + HOUR;
    other.tick();
    expect(other.rows("SELECT * FROM alert_deliveries")).toEqual([]);
    expect(backupTables(mesh.sql).map(({ name }) => name)).not.toContain("alert_deliveries");
  });
});
