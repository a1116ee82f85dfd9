import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/clock.ts";
import { API_TOKEN_RETENTION, API_TOKENS_MAX } from "../../../src/protocol/constants.ts";
import { SCOPES, TOKEN_STATES, type Scope, type TokenView } from "../../../src/protocol/http.ts";
import { must, present } from "../../must.ts";
import { seededRandom } from "../../random.ts";
import { submission, TestMesh } from "../mesh.ts";

interface NewToken {
  readonly scope?: Scope;
  readonly label?: string;
  readonly expires_seconds?: number;
}

const create = (mesh: TestMesh, { scope = "controller", label = "", ...more }: NewToken = {}) =>
  mesh.run("create_token", { scope, label, ...more });

const hashOf = (mesh: TestMesh, id: string): string =>
  present(mesh.registry.apiTokens.get(id)).hash;
const authenticate = (mesh: TestMesh, id: string) =>
  mesh.read("authenticate", { id, hash: hashOf(mesh, id) });

/** All pages of a list. */
function list(mesh: TestMesh, filter: object = {}, limit = 100): TokenView[] {
  const tokens: TokenView[] = [];
  let cursor: string | undefined;
  do {
    const page = must(mesh.read("list_tokens", { ...filter, limit, cursor }));
    expect(page.tokens.length).toBeLessThanOrEqual(limit);
    tokens.push(...page.tokens);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return tokens;
}

describe("a token that expires", () => {
  test("AD63 grants nothing from its time on, whether or not a tick has run, also after a restart", () => {
    const times = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: -2, max: 2 }));
    fc.assert(
      fc.property(times, fc.boolean(), fc.boolean(), ([seconds, beside], ticks, restarts) => {
        const mesh = new TestMesh();
        const { id, expires_at } = create(mesh, { expires_seconds: seconds });
        expect(Date.parse(present(expires_at))).toBe(mesh.now + seconds * SECOND);
        mesh.advanceClock(seconds * SECOND + beside);
        if (restarts) mesh.restart();
        if (ticks) mesh.tick();
        const expiresAt = Date.parse(present(expires_at));
        const result = authenticate(mesh, id);
        if (beside < 0) expect(result).toMatchObject({ ok: true, value: { id, expiresAt } });
        else expect(result).toMatchObject({ ok: false, error: { code: "unauthorized" } });
        expect(list(mesh)[0]?.state).toBe(beside < 0 ? "active" : "expired");
      }),
      { numRuns: 50 },
    );
  });

  test("AD63 grants nothing either when the clock is set back after its time, and occupies no place", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 59 }), fc.boolean(), (back, restarts) => {
        const mesh = new TestMesh();
        const { id } = create(mesh, { expires_seconds: 60 });
        const give = () => {
          const commands = [{ name: "get_auth_mode", input: {}, actor: `token:${id}` }] as const;
          return present(mesh.executeGroup(commands).executed[0]).result;
        };
        expect(give().ok).toBe(true);
        mesh.advanceClock(MINUTE);
        mesh.tick();
        mesh.advanceClock(-back * SECOND);
        if (restarts) mesh.restart();
        for (const result of [authenticate(mesh, id), give()])
          expect(result).toMatchObject({ ok: false, error: { code: "unauthorized" } });
        expect(list(mesh, { state: "active" })).toEqual([]);
        expect(list(mesh, { state: "expired" })).toMatchObject([{ id, state: "expired" }]);
        expect(mesh.registry.apiTokens.count(mesh.now)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test("AD63 leaves its tasks as they are", () => {
    const mesh = new TestMesh();
    const { id: owner } = create(mesh, { expires_seconds: 60 });
    const { task } = mesh.run("submit_task", submission({ kind: "echo" }, { owner }));
    mesh.runFor(2 * MINUTE);
    expect(list(mesh)[0]?.state).toBe("expired");
    expect(mesh.run("get_task", { id: task.id, visibleTo: owner }).state).toBe("queued");
  });

  test("AD63 loses the discovery keys that it got: the epoch changes at its time, without any command", () => {
    const mesh = new TestMesh();
    const other = create(mesh).id;
    const { id } = create(mesh, { expires_seconds: (2 * HOUR) / SECOND });
    mesh.discoveryKeys(other);
    mesh.discoveryKeys(id);
    const epochOf = () => present(mesh.registry.discoveryEpochs.newest()).epoch;
    const before = epochOf();
    mesh.runFor(2 * HOUR - SECOND);
    expect(epochOf()).toBe(before);
    mesh.runFor(2 * SECOND);
    expect(epochOf()).toBe(before + 1);
    mesh.runFor(HOUR);
    expect(epochOf()).toBe(before + 1);
  });

  test("AD63 occupies no place among the tokens, and a revoked one stays revoked", () => {
    const mesh = new TestMesh();
    for (let i = 0; i < API_TOKENS_MAX; i++) create(mesh, { expires_seconds: 60 });
    expect(mesh.errorOf("create_token", { scope: "viewer", label: "" }).code).toBe("conflict");
    const [first] = list(mesh, {}, 500);
    mesh.run("revoke_token", { id: present(first).id });
    mesh.advanceClock(60 * SECOND);
    create(mesh);
    expect(list(mesh, { state: "revoked" })).toHaveLength(1);
    expect(list(mesh, { state: "expired" })).toHaveLength(API_TOKENS_MAX - 1);
  });
});

describe("the last use of a token", () => {
  test("AD64 is shown, at most 10 minutes too early, and written at most once in that time", () => {
    const mesh = new TestMesh();
    const { id } = create(mesh);
    expect(list(mesh)[0]?.last_used_at).toBeNull();
    const { measurements } = mesh.registry;
    measurements.flush();
    let writes = 0;
    const start = mesh.now;
    for (; mesh.now < start + HOUR; mesh.advanceClock(7 * SECOND)) {
      authenticate(mesh, id);
      if (measurements.arePending()) writes++;
      measurements.flush();
      const shown = Date.parse(present(present(list(mesh)[0]).last_used_at));
      expect(shown).toBeLessThanOrEqual(mesh.now);
      expect(shown).toBeGreaterThan(mesh.now - 10 * MINUTE);
    }
    expect(writes).toBeLessThanOrEqual(6);
  });

  test("AD64 survives a restart once it is written, and a refused use does not count", () => {
    const mesh = new TestMesh();
    const { id } = create(mesh);
    mesh.read("authenticate", { id, hash: "00".repeat(32) });
    expect(list(mesh)[0]?.last_used_at).toBeNull();
    authenticate(mesh, id);
    const [used] = list(mesh);
    mesh.registry.measurements.flush();
    mesh.restart();
    expect(list(mesh)).toEqual([used]);
    mesh.run("revoke_token", { id });
    mesh.advanceClock(HOUR);
    authenticate(mesh, id);
    expect(list(mesh)[0]?.last_used_at).toBe(used?.last_used_at);
  });
});

describe("the list of tokens", () => {
  test("AD65 shows each token that meets the filter once, the oldest first, for every page size", () => {
    const mesh = new TestMesh();
    const random = seededRandom(7);
    for (let i = 0; i < 40; i++) {
      const [scope = 0, end = 0, pause = 0] = random(3);
      const token = create(mesh, {
        scope: SCOPES[scope % SCOPES.length] as Scope,
        label: ["CI runner", "ci_runner", "100%", ""][i % 4] as string,
        ...(end % 3 === 0 && { expires_seconds: 1 }),
      });
      if (end % 3 === 1) mesh.run("revoke_token", { id: token.id });
      // Some tokens are made at the same time.
      mesh.advanceClock(pause % 2);
    }
    mesh.advanceClock(2 * SECOND);
    const all = list(mesh);
    expect(all).toHaveLength(40);
    expect(new Set(all.map(({ id }) => id)).size).toBe(40);
    for (const scope of [undefined, ...SCOPES])
      for (const state of [undefined, ...TOKEN_STATES])
        for (const label of [undefined, "ci", "RUNNER", "_", "%", "none"])
          for (const limit of [1, 7, 100]) {
            const expected = all.filter(
              (each) =>
                (scope === undefined || each.scope === scope) &&
                (state === undefined || each.state === state) &&
                (label === undefined || each.label.toLowerCase().includes(label.toLowerCase())),
            );
            expect(list(mesh, { scope, state, label }, limit)).toEqual(expected);
          }
  });

  test("AD65 refuses a cursor that is none of its own", () => {
    const mesh = new TestMesh();
    for (const cursor of ["", "1", "1-", "-1-00", "x-0011223344556677", "1-0011223344556677 "])
      expect(mesh.read("list_tokens", { limit: 1, cursor })).toMatchObject({
        ok: false,
        error: { code: "invalid_request" },
      });
  });
});

test("AD66 a token is removed 90 days after it was revoked or has expired, and its callback versions with it", () => {
  const mesh = new TestMesh();
  const ids = [
    create(mesh).id,
    create(mesh, { expires_seconds: DAY / SECOND }).id,
    create(mesh, { expires_seconds: (400 * DAY) / SECOND }).id,
    create(mesh, { expires_seconds: (400 * DAY) / SECOND }).id,
  ];
  const [forever, expiring, revoked, long] = ids as [string, string, string, string];
  for (const owner of ids)
    mesh.run("rotate_callback_secret", {
      url: "https://one.example/",
      owner,
      overlapSeconds: 0,
      visibleTo: null,
    });
  mesh.advanceClock(DAY);
  mesh.tick();
  mesh.run("revoke_token", { id: revoked });
  mesh.advanceClock(API_TOKEN_RETENTION);
  mesh.tick();
  expect(
    list(mesh)
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual([...ids].toSorted());
  mesh.advanceClock(SECOND);
  mesh.tick();
  expect(
    list(mesh)
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual([forever, long].toSorted());
  const kept = ids.filter((id) => mesh.registry.callbackRotations.countOf(id) > 0);
  expect(kept).toEqual([forever, long]);
  expect(expiring).not.toBe(revoked);
});
