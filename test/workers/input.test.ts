import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import { call, placesOf, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const KEY = `09${"00".repeat(31)}`;
const HEX_ID = "0".repeat(32);
const ODD = [
  "x",
  "%2e%2e%2f",
  "%00",
  "%E0%A4%A",
  "\u{1f600}",
  "0",
  "null",
  "__proto__",
  "1%20OR%201",
];

describe("an ID in a path", () => {
  it.each([...ODD, HEX_ID.slice(1), `${HEX_ID}0`, "A".repeat(32), "g".repeat(32)])(
    "HT3 %s is refused as the ID of a peer, a pointer or a blob",
    async (id) => {
      for (const [method, path] of [
        ["GET", `/v1/peers/${id}`],
        ["DELETE", `/v1/peers/${id}`],
        ["POST", `/v1/peers/${id}/revoke`],
        ["DELETE", `/v1/denylist/${id}`],
        ["GET", `/v1/pointers/${id}`],
        ["GET", `/v1/blobs/${id}`],
      ] as const) {
        expect(placesOf(await call(method, path))).toEqual(["id"]);
      }
    },
  );

  it.each([...ODD, "00000000-0000-0000-0000-00000000000g", "0".repeat(32)])(
    "HT3 %s is refused as the ID of a task",
    async (id) => {
      expect(placesOf(await call("GET", `/v1/tasks/${id}`))).toEqual(["id"]);
      expect(placesOf(await call("DELETE", `/v1/tasks/${id}`))).toEqual(["id"]);
    },
  );

  it.each([...ODD, KEY.slice(1), `${KEY}0`, KEY.replace("09", "0g"), "AB".repeat(32)])(
    "CL70 %s is refused as a public key, with the code of any unusable key",
    async (key) => {
      const path = `/v1/allowlist/${key}`;
      for (const answer of [
        await call("PUT", path, { json: {} }),
        await call("DELETE", path),
        await call("POST", "/v1/peers", {
          json: { url: "wss://peer.example/ws", public_key: key },
        }),
        await call("POST", "/v1/tasks", {
          json: { kind: "a", seal_to: key },
        }),
      ])
        expect(problemOf(answer, "bad_key").detail).toMatch(
          /^(?:public_key|seal_to): a public key is 64 lower-case hex characters$/,
        );
    },
  );

  it("CL70 a request in which something else is wrong, too, is invalid_request with each place", async () => {
    const answer = await call("PUT", "/v1/allowlist/x", { json: { lable: "a" } });
    problemOf(answer, "bad_key"); // the path is read first
    const task = await call("POST", "/v1/tasks", { json: { kind: "a b", seal_to: "x" } });
    expect(placesOf(task).toSorted()).toEqual(["kind", "seal_to"]);
  });

  it.each([
    ["zero", "00".repeat(32)],
    ["one", `01${"00".repeat(31)}`],
    ["a point of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ])("HT3 a public key of low order (%s) is refused with bad_key", async (_, key) => {
    problemOf(await call("PUT", `/v1/allowlist/${key}`, { json: {} }), "bad_key");
    expect((await call("GET", "/v1/allowlist")).body).toMatchObject({ entries: [] });
  });

  it.each([
    ...ODD.filter((name) => !/^[a-z0-9]+$/.test(name)),
    "Upper",
    "-first",
    "last-",
    "a_b",
    "a.b",
    "a".repeat(65),
    "%C5%BEeton",
  ])("HT3 %s is refused as the name of a webhook source", async (name) => {
    const path = `/v1/webhook-sources/${name}`;
    const source = { scheme: "github", secret: "sixteen characters", task: { kind: "test" } };
    expect(placesOf(await call("PUT", path, { json: source }))).toEqual(["name"]);
    expect(placesOf(await call("GET", path))).toEqual(["name"]);
    expect(placesOf(await call("DELETE", path))).toEqual(["name"]);
    problemOf(await call("POST", `/v1/webhooks/${name}`, { raw: "{}" }), "not_found");
  });

  it.each([
    ["GET", `/v1/peers/${HEX_ID}`],
    ["DELETE", `/v1/peers/${HEX_ID}`],
    ["DELETE", `/v1/denylist/${HEX_ID}`],
    ["DELETE", `/v1/allowlist/${KEY}`],
    ["GET", "/v1/tasks/00000000-0000-4000-8000-000000000000"],
    ["GET", "/v1/tasks/00000000-0000-4000-8000-000000000000?wait=1"],
    ["DELETE", "/v1/tasks/00000000-0000-4000-8000-000000000000"],
    ["GET", "/v1/webhook-sources/nobody"],
    ["DELETE", "/v1/webhook-sources/nobody"],
    ["POST", "/v1/webhooks/nobody"],
    ["GET", `/v1/pointers/${HEX_ID}`],
    ["GET", `/v1/blobs/${HEX_ID}`],
    ["DELETE", "/v1/tokens/0123456789abcdef"],
    ["DELETE", "/v1/join-keys/0123456789abcdef"],
  ])("HT3 is answered with not_found if no resource has it: %s %s", async (method, path) => {
    problemOf(await call(method, path), "not_found");
  });
});

const LISTS = ["peers", "tasks", "pointers", "audit"];
const NO_COUNTS = [
  "-1",
  "0",
  "501",
  "1.5",
  "NaN",
  "Infinity",
  "1e9",
  "9".repeat(40),
  "ten",
  "",
  "%00",
];

describe("a query", () => {
  it.each(NO_COUNTS)("HT3 limit=%s is refused on every list", async (limit) => {
    for (const list of LISTS)
      expect(placesOf(await call("GET", `/v1/${list}?limit=${limit}`))).toEqual(["limit"]);
  });

  it.each(["-1", "-0.001", "60.001", "NaN", "Infinity", "-Infinity", "1e9", "soon", "1s"])(
    "HT3 wait=%s is refused",
    async (wait) => {
      const { body } = await call<{ id: string }>("POST", "/v1/tasks", { json: { kind: "test" } });
      expect(placesOf(await call("GET", `/v1/tasks/${body.id}?wait=${wait}`))).toEqual(["wait"]);
    },
  );

  it.each(["", "0", "-1", "1.5", "0x10", "1e3", "%201", "abc", "9".repeat(30), HEX_ID, "%00"])(
    "HT3 cursor=%s is refused for tasks and the audit log",
    async (cursor) => {
      for (const list of ["tasks", "audit"]) {
        const reply = await call("GET", `/v1/${list}?cursor=${cursor}`);
        expect(JSON.stringify(problemOf(reply, "invalid_request"))).toContain("cursor");
      }
    },
  );

  it.each(["", "0", "5", "A".repeat(32), `${HEX_ID}0`, "%27%3B--", "\u{1f600}"])(
    "HT3 cursor=%s is refused for peers and pointers",
    async (cursor) => {
      for (const list of ["peers", "pointers"]) {
        const reply = await call("GET", `/v1/${list}?cursor=${cursor}`);
        expect(JSON.stringify(problemOf(reply, "invalid_request"))).toContain("cursor");
      }
    },
  );

  it("HT3 a cursor of 4,097 characters is refused before it is parsed", async () => {
    for (const list of LISTS)
      expect(placesOf(await call("GET", `/v1/${list}?cursor=${"0".repeat(4_097)}`))).toEqual([
        "cursor",
      ]);
  });

  it.each([
    ["peers?state=alive", "state"],
    ["peers?state=", "state"],
    ["peers?state=active&state=stale", "state"],
    ["peers?role=boss", "role"],
    ["peers?limit=1&limit=2", "limit"],
    ["tasks?state=stale", "state"],
    ["tasks?kind=not%20a%20kind", "kind"],
    ["tasks?kind=", "kind"],
    [`tasks?kind=${"a".repeat(65)}`, "kind"],
  ])("HT3 /v1/%s is refused with the name of the field", async (path, place) => {
    expect(placesOf(await call("GET", `/v1/${path}`))).toEqual([place]);
  });

  it("HT3 several faults are reported at once, with the limits", async () => {
    const reply = await call("GET", "/v1/peers?limit=0&state=x&role=y");
    expect(placesOf(reply).toSorted()).toEqual(["limit", "role", "state"]);
    expect(JSON.stringify(reply.body)).toContain(">=1");
  });

  it("HT31 a parameter with a name that every object has does not exist", async () => {
    const path =
      "/v1/tasks?__proto__=1&__proto__=2&constructor=3&toString=4&hasOwnProperty=&fresh=1";
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "fresh"];
    expect(placesOf(await call("GET", path))).toEqual(names);
  });
});

describe("a task", () => {
  it.each([
    ["kind", {}],
    ["kind", { kind: "" }],
    ["kind", { kind: 5 }],
    ["kind", { kind: null }],
    ["kind", { kind: "a b" }],
    ["kind", { kind: "/a" }],
    ["kind", { kind: "\u017eeton" }],
    ["kind", { kind: "a\n" }],
    ["kind", { kind: "a".repeat(65) }],
    ["requirements", { kind: "a", requirements: null }],
    ["requirements", { kind: "a", requirements: [] }],
    ["requirements.capabilities", { kind: "a", requirements: { capabilities: "gpu" } }],
    ["requirements.capabilities.0", { kind: "a", requirements: { capabilities: ["-"] } }],
    [
      "requirements.capabilities",
      { kind: "a", requirements: { capabilities: Array(33).fill("a") } },
    ],
    ["requirements.peer_id", { kind: "a", requirements: { peer_id: "me" } }],
    ["requirements.min_score", { kind: "a", requirements: { min_score: 1.01 } }],
    ["requirements.min_score", { kind: "a", requirements: { min_score: -0.01 } }],
    ["priority", { kind: "a", priority: 101 }],
    ["priority", { kind: "a", priority: 0.5 }],
    ["priority", { kind: "a", priority: "1" }],
    ["deadline_seconds", { kind: "a", deadline_seconds: 0 }],
    ["deadline_seconds", { kind: "a", deadline_seconds: -1 }],
    ["deadline_seconds", { kind: "a", deadline_seconds: 1e12 }],
    ["max_attempts", { kind: "a", max_attempts: 0 }],
    ["max_attempts", { kind: "a", max_attempts: 21 }],
    ["lease_seconds", { kind: "a", lease_seconds: 0.5 }],
    ["lease_seconds", { kind: "a", lease_seconds: 3_601 }],
  ])("HT3 with a wrong %s is refused: %j", async (place, json) => {
    const reply = await call("POST", "/v1/tasks", { json });
    expect(placesOf(reply)).toEqual([place]);
    expect((await call("GET", "/v1/tasks")).body).toMatchObject({ tasks: [] });
  });

  it.each([[null], [[]], ["text"], [5], [true], [[{ kind: "a" }]]])(
    "HT3 must be an object: %j is refused",
    async (json) => {
      expect(placesOf(await call("POST", "/v1/tasks", { json }))).toEqual([""]);
    },
  );

  it.each(["1e999", "-1e999"])("HT3 must not contain a number out of range: %s", async (number) => {
    const headers = { "Content-Type": "application/json" };
    const raw = `{"kind":"a","deadline_seconds":${number}}`;
    expect(placesOf(await call("POST", "/v1/tasks", { raw, headers }))).toEqual([
      "deadline_seconds",
    ]);
  });

  it.each(["", " ", "a".repeat(256), "a\tb"])(
    "HT3 is refused with the idempotency key %j",
    async (key) => {
      const headers = { "Idempotency-Key": key };
      const reply = await call("POST", "/v1/tasks", { json: { kind: "a" }, headers });
      expect(placesOf(reply)).toEqual(["idempotency-key"]);
    },
  );

  it("HT30 with fields that only the mesh sets is refused", async () => {
    const set = { id: "mine", state: "succeeded", source: "me", admin: true, attempts: [] };
    const reply = await call("POST", "/v1/tasks", { json: { kind: "a", ...set } });
    expect(placesOf(reply)).toEqual(Object.keys(set));
  });
});

describe("an allowlist entry", () => {
  it.each([
    ["label", { label: 5 }],
    ["label", { label: "a".repeat(201) }],
    ["roles", { roles: [] }],
    ["roles", { roles: "worker" }],
    ["roles.0", { roles: ["boss"] }],
    ["roles", { roles: ["worker", "worker", "worker", "worker"] }],
    ["readmit", { readmit: "yes" }],
    ["", null],
    ["", []],
  ])("HT3 with a wrong %s is refused: %j", async (place, json) => {
    expect(placesOf(await call("PUT", `/v1/allowlist/${KEY}`, { json }))).toEqual([place]);
    expect((await call("GET", "/v1/allowlist")).body).toMatchObject({ entries: [] });
  });
});

describe("a token and a join key", () => {
  it.each([
    ["tokens", "scope", {}],
    ["tokens", "scope", { scope: "root" }],
    ["tokens", "label", { scope: "viewer", label: "a".repeat(201) }],
    ["tokens", "", []],
    ["join-keys", "roles", { roles: [] }],
    ["join-keys", "roles.0", { roles: ["boss"] }],
    ["join-keys", "uses", { uses: 0 }],
    ["join-keys", "uses", { uses: 1.5 }],
    ["join-keys", "uses", { uses: 10_001 }],
    ["join-keys", "expires_seconds", { expires_seconds: 0 }],
    ["join-keys", "expires_seconds", { expires_seconds: 1e12 }],
    ["join-keys", "", null],
  ])("HT3 (%s) with a wrong %s is refused: %j", async (route, place, json) => {
    expect(placesOf(await call("POST", `/v1/${route}`, { json }))).toEqual([place]);
    const { body } = await call("GET", `/v1/${route}`);
    expect([body["tokens"] ?? body["join_keys"]]).toEqual([[]]);
  });

  it.each([...ODD, "0".repeat(15), "0".repeat(17), "G".repeat(16)])(
    "HT3 %s is refused as the ID of either",
    async (id) => {
      expect(placesOf(await call("DELETE", `/v1/tokens/${id}`))).toEqual(["id"]);
      expect(placesOf(await call("DELETE", `/v1/join-keys/${id}`))).toEqual(["id"]);
    },
  );
});

describe("an auth mode", () => {
  it.each([
    ["mode", {}],
    ["mode", { mode: "closed" }],
    ["mode", { mode: "OPEN" }],
    ["mode", { mode: ["open"] }],
    ["", null],
    ["", "allowlist"],
  ])("HT3 with a wrong %s is refused: %j", async (place, json) => {
    expect(placesOf(await call("PUT", "/v1/auth-mode", { json }))).toEqual([place]);
    expect((await call("GET", "/v1/auth-mode")).body).toEqual({ mode: "open" });
  });
});

/** Sent as text: in an object literal, this member would set the prototype. */
const POLLUTING = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":3,"a":[{"__proto__":null}]}`;

describe("members with names that every object has", () => {
  const headers = { "Content-Type": "application/json" };

  it("HT3 are data in a payload, and are returned unchanged", async () => {
    const raw = `{"kind":"a","payload":${POLLUTING}}`;
    const { text, body } = await call<TaskView>("POST", "/v1/tasks", { raw, headers });
    expect(text).toContain(`"payload":${POLLUTING}`);
    expect((await call("GET", `/v1/tasks/${body.id}`)).text).toContain(`"payload":${POLLUTING}`);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("HT3 do not provide a request's fields", async () => {
    const raw = `{"__proto__":{"kind":"inherited","mode":"allowlist"}}`;
    expect(placesOf(await call("POST", "/v1/tasks", { raw, headers }))).toEqual([
      "kind",
      "__proto__",
    ]);
    expect(placesOf(await call("PUT", "/v1/auth-mode", { raw, headers }))).toEqual([
      "mode",
      "__proto__",
    ]);
  });

  it("HT30 are refused in requests with defined fields", async () => {
    const raw = `{"kind":"a","__proto__":{"priority":9},"requirements":{"__proto__":{"min_score":1},"constructor":1}}`;
    const reply = await call<TaskView>("POST", "/v1/tasks", { raw, headers });
    expect(placesOf(reply)).toEqual([
      "requirements.__proto__",
      "requirements.constructor",
      "__proto__",
    ]);
  });
});

describe("text of any script", () => {
  it.each([
    "\u017eeton \u65e5\u672c\u8a9e \u{1f469}\u200d\u{1f680}",
    "\u0000\u0001\u001f\u007f",
    "\u2028\u2029\ufeff\ufffe",
    "a\u0301 \u00e1",
    '"\\/\b\f\n\r\t',
  ])("HT3 is returned unchanged: %j", async (text) => {
    const payload = { [text]: [text] };
    const { body } = await call<TaskView>("POST", "/v1/tasks", { json: { kind: "a", payload } });
    expect((await call<TaskView>("GET", `/v1/tasks/${body.id}`)).body.payload).toEqual(payload);
  });

  it("HT3 is allowed in a label as well", async () => {
    const label = "Br\u00fccke \u6a4b \u{1f309}";
    await call("PUT", `/v1/allowlist/${KEY}`, { json: { label } });
    expect((await call("GET", "/v1/allowlist")).body).toMatchObject({ entries: [{ label }] });
  });
});
