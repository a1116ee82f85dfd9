import { describe, expect, test } from "vitest";
import { verifyCallback } from "../../../src/client/index.ts";
import { DAY, HOUR, SECOND } from "../../../src/base/clock.ts";
import type { CallbackRequest } from "../../../src/contract/webhooks.ts";
import {
  CALLBACK_ROTATIONS_PER_OWNER_MAX,
  CALLBACK_TIMEOUT,
} from "../../../src/protocol/constants.ts";
import { signStandard } from "../../../src/webhooks/index.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import { must, present } from "../../must.ts";
import { submission, TestMesh } from "../mesh.ts";

const URL_A = "https://a.example/hook";
const URL_B = "https://b.example/hook";
const ALL = { visibleTo: null };

const secretOf = (mesh: TestMesh, url: string, owner = "admin") =>
  mesh.run("get_callback_secret", { url, owner, ...ALL });
const rotate = (mesh: TestMesh, url: string, overlapSeconds = DAY / SECOND, owner = "admin") =>
  mesh.run("rotate_callback_secret", { url, owner, overlapSeconds, ...ALL });

/** The callback that the mesh sends at the end of a task. */
function callbackTo(mesh: TestMesh, url: string, more = {}): CallbackRequest {
  const input = submission({ kind: "echo", callback: { url } }, more);
  const { id } = mesh.run("submit_task", input).task;
  mesh.run("cancel_task", { id, visibleTo: null });
  return present(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request);
}

const isAccepted = (
  request: Pick<CallbackRequest, "headers" | "body">,
  secret: string | readonly string[],
  now: number,
): boolean => {
  try {
    verifyCallback(request, { secret, now });
    return true;
  } catch {
    return false;
  }
};

const newToken = (mesh: TestMesh): string =>
  mesh.run("create_token", { scope: "controller", label: "" }).id;

describe("a receiver", () => {
  test("CB30 can't forge a callback that another receiver of the same owner accepts", () => {
    const mesh = new TestMesh();
    const genuine = callbackTo(mesh, URL_B);
    const [a, b] = [secretOf(mesh, URL_A).secret, secretOf(mesh, URL_B).secret];
    expect(isAccepted(genuine, b, mesh.now)).toBe(true);
    expect(isAccepted(genuine, a, mesh.now)).toBe(false);
    const { id } = JSON.parse(genuine.body).data as { id: string };
    const forged = {
      body: genuine.body.replace("cancelled", "failed").replace("cancelled", "failed"),
      headers: {},
    };
    const sign = { id, at: mesh.now, body: utf8(forged.body) };
    expect(isAccepted({ ...forged, headers: must(signStandard([a], sign)) }, a, mesh.now)).toBe(
      true,
    );
    expect(isAccepted({ ...forged, headers: must(signStandard([a], sign)) }, b, mesh.now)).toBe(
      false,
    );
  });

  test("CB30 of several owners has a secret for each", () => {
    const mesh = new TestMesh();
    const owners = ["admin", newToken(mesh), newToken(mesh)];
    for (const owner of owners) {
      const request = callbackTo(mesh, URL_A, { owner });
      for (const other of owners)
        expect(isAccepted(request, secretOf(mesh, URL_A, other).secret, mesh.now)).toBe(
          other === owner,
        );
    }
  });

  test("CB30 of tasks that a webhook source makes has the secret of the source", () => {
    const mesh = new TestMesh();
    const source = {
      name: "ci",
      scheme: "github",
      signature: null,
      sealedSecrets: ["c2VhbGVk"],
      mapping: { kind: "build", payload: null, callback: { url: URL_A } },
      filters: [],
      maxBytes: null,
      maxBodyBytes: null,
      identity: null,
    } as const;
    mesh.run("put_webhook_source", source as never);
    const request = callbackTo(mesh, URL_A, { source: "webhook:ci" });
    expect(isAccepted(request, secretOf(mesh, URL_A, "webhook:ci").secret, mesh.now)).toBe(true);
    expect(isAccepted(request, secretOf(mesh, URL_A).secret, mesh.now)).toBe(false);
  });

  test.each([
    ["https://one.example/hook", "https://ONE.Example:443/other?x=1#part"],
    ["http://one.example/", "http://one.example:80"],
    ["https://xn--bcher-kva.example/", "https://BÜCHER.example/"],
    ["https://xn--bcher-kva.example/", "https://bu\u0308cher.example/"],
    ["https://one.example/", "https://one。example/"],
    ["https://one.example/", "https://o%6Ee.example/"],
    ["https://8.8.8.8/", "https://0x08.8.8.010/"],
    ["https://[2606:4700::1]/", "https://[2606:4700:0:0::0001]:443/"],
  ])("CB30 is one origin however its URL is spelled: %s and %s", (one, other) => {
    const mesh = new TestMesh();
    const { secret, origin } = secretOf(mesh, one);
    expect(secretOf(mesh, other)).toMatchObject({ secret, origin });
    expect(isAccepted(callbackTo(mesh, other), secret, mesh.now)).toBe(true);
  });

  test.each([
    ["https://one.example/", "http://one.example/"],
    ["https://one.example/", "https://one.example:8443/"],
    ["https://one.example/", "https://www.one.example/"],
    ["https://one.example/", "https://one.example.evil.example/"],
    ["https://one.example/", "https://оne.example/"],
    ["https://one.example/", "https://one.example./"],
  ])("CB30 is another origin with another scheme, host or port: %s and %s", (one, other) => {
    const mesh = new TestMesh();
    const secrets = [secretOf(mesh, one).secret, secretOf(mesh, other).secret];
    expect(secrets[0]).not.toBe(secrets[1]);
    expect(isAccepted(callbackTo(mesh, other), present(secrets[0]), mesh.now)).toBe(false);
  });
});

describe("a rotated secret", () => {
  test("CB31 signs besides the one before until the overlap is over, also after a restart", () => {
    const mesh = new TestMesh();
    const before = secretOf(mesh, URL_A).secret;
    const { secret: after, previous } = rotate(mesh, URL_A, 3_600);
    expect(previous?.secret).toBe(before);
    mesh.restart();
    for (const [ms, accepted] of [
      [0, [true, true]],
      [HOUR - 1_000, [true, true]],
      [1_000, [true, false]],
    ] as const) {
      mesh.advanceClock(ms);
      const request = callbackTo(mesh, URL_A);
      expect([after, before].map((each) => isAccepted(request, each, mesh.now))).toEqual(accepted);
      mesh.run("callback_answered", {
        ...request,
        answer: { status: 200, error: null, retryAfter: null },
      });
    }
    expect(secretOf(mesh, URL_A)).toMatchObject({ secret: after, version: 2, previous: null });
  });

  test("CB31 changes nothing for other receivers and other owners", () => {
    const mesh = new TestMesh();
    const token = newToken(mesh);
    const before = [secretOf(mesh, URL_B), secretOf(mesh, URL_A, token)];
    rotate(mesh, URL_A, 0);
    expect([secretOf(mesh, URL_B), secretOf(mesh, URL_A, token)]).toEqual(before);
  });

  test("CB31 is used by an attempt that follows a failed one before the rotation", () => {
    const mesh = new TestMesh();
    const first = callbackTo(mesh, URL_A);
    const { secret } = rotate(mesh, URL_A, 0);
    mesh.advanceClock(2 * CALLBACK_TIMEOUT + 1);
    const second = present(mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request);
    expect(isAccepted(first, secret, mesh.now)).toBe(false);
    expect(isAccepted(second, secret, mesh.now)).toBe(true);
  });

  test("CB31 is rotated again: the secret before last does not sign any more", () => {
    const mesh = new TestMesh();
    const secrets = [secretOf(mesh, URL_A).secret];
    for (let i = 0; i < 2; i++) secrets.push(rotate(mesh, URL_A).secret);
    const request = callbackTo(mesh, URL_A);
    const accepted = secrets.map((each) => isAccepted(request, each, mesh.now));
    expect(accepted).toEqual([false, true, true]);
  });

  test("CB31 signs alone when the overlap is ended", () => {
    const mesh = new TestMesh();
    const before = secretOf(mesh, URL_A).secret;
    const { secret } = rotate(mesh, URL_A);
    const ended = mesh.run("end_previous_callback_secret", { url: URL_A, owner: "admin", ...ALL });
    expect(ended).toMatchObject({ secret, version: 2, previous: null });
    const request = callbackTo(mesh, URL_A);
    expect([secret, before].map((each) => isAccepted(request, each, mesh.now))).toEqual([
      true,
      false,
    ]);
  });

  test("CB32 is rotated by its owner or an administrator, and by nobody else", () => {
    const mesh = new TestMesh();
    const [token, other] = [newToken(mesh), newToken(mesh)];
    const asked = { url: URL_A, owner: token };
    for (const name of ["get_callback_secret", "end_previous_callback_secret"] as const)
      expect(mesh.errorOf(name, { ...asked, visibleTo: other }).code).toBe("forbidden");
    const rotation = { ...asked, overlapSeconds: 0 };
    const refused = mesh.errorOf("rotate_callback_secret", { ...rotation, visibleTo: other });
    expect(refused.code).toBe("forbidden");
    expect(mesh.run("rotate_callback_secret", { ...rotation, visibleTo: token }).version).toBe(2);
    expect(mesh.run("rotate_callback_secret", { ...rotation, visibleTo: null }).version).toBe(3);
    for (const owner of ["0".repeat(16), "0".repeat(32), "webhook:none"])
      expect(mesh.errorOf("get_callback_secret", { url: URL_A, owner, ...ALL }).code).toBe(
        "not_found",
      );
  });

  test("CB33 is in the audit log, without the secrets", () => {
    const mesh = new TestMesh();
    const { secret, previous } = rotate(mesh, URL_A, 60);
    mesh.run("end_previous_callback_secret", { url: URL_A, owner: "admin", ...ALL });
    const { entries } = mesh.run("list_audit", { limit: 10, cursor: undefined, subject: "admin" });
    const origin = "https://a.example";
    expect(entries.map(({ act, detail }) => [act, detail])).toEqual([
      ["end_previous_callback_secret", { origin, version: 2 }],
      ["rotate_callback_secret", { origin, version: 2, overlap_seconds: 60 }],
    ]);
    expect(mesh.contents()).not.toContain(secret);
    expect(mesh.contents()).not.toContain(present(previous).secret);
  });

  test("CB33 are a bounded number of each owner, and none is forgotten", () => {
    const mesh = new TestMesh();
    const token = newToken(mesh);
    for (let i = 0; i < CALLBACK_ROTATIONS_PER_OWNER_MAX; i++)
      rotate(mesh, `https://${i}.example/`, 0, token);
    const more = { url: "https://more.example/", owner: token, overlapSeconds: 0, ...ALL };
    expect(mesh.errorOf("rotate_callback_secret", more).code).toBe("conflict");
    expect(rotate(mesh, "https://0.example/", 0, token).version).toBe(3);
    expect(rotate(mesh, "https://more.example/", 0).version).toBe(2);
  });
});
