import { describe, expect, it } from "vitest";
import { locate, type Fetch } from "../../workers/location.ts";

const PARIS = { latitude: 48.8566, longitude: 2.3522 };
const NOWHERE = { place: null, source: "", network: "", colo: "" };
const AUSTIN = { latitude: "30.27130", longitude: "-97.74260", asn: 395747, colo: "DFW" };
const SERVICE = { by: "service", url: "http://locations.example/base" } as const;

const unused: Fetch = () => Promise.reject(new Error("no request is expected"));
const answers =
  (body: unknown, status = 200): Fetch =>
  () =>
    Promise.resolve(Response.json(body, { status }));

describe("the location of an address", () => {
  it("SC35 is what the platform reports, by default", async () => {
    expect(await locate({ by: "platform" }, "192.0.2.1", AUSTIN, unused)).toEqual({
      place: { latitude: 30.2713, longitude: -97.7426 },
      source: "",
      network: "AS395747",
      colo: "DFW",
    });
    expect(await locate({ by: "platform" }, "192.0.2.1", {}, unused)).toEqual(NOWHERE);
  });

  it("SC35 is unknown if nothing locates, whatever the platform makes up", async () => {
    expect(await locate({ by: "nothing" }, "192.0.2.1", AUSTIN, unused)).toEqual(NOWHERE);
  });

  it("SC35 is asked of the service by the address alone, and the platform's is ignored", async () => {
    const asked: string[] = [];
    const fetch: Fetch = (url) => {
      asked.push(url);
      return Promise.resolve(Response.json({ ...PARIS, source: "City of 2026-11-03" }));
    };
    const located = await locate(SERVICE, "2001:db8::1", AUSTIN, fetch);
    expect(located).toEqual({ ...NOWHERE, place: PARIS, source: "City of 2026-11-03" });
    expect(asked).toEqual(["http://locations.example/base/2001%3Adb8%3A%3A1"]);
  });

  it("SC35 is not asked for without an address", async () => {
    expect(await locate(SERVICE, "", AUSTIN, unused)).toEqual(NOWHERE);
  });

  it.for([
    ["does not know the address", answers({}, 404)],
    ["fails", answers({ ...PARIS, source: "x" }, 500)],
    ["is not reachable", unused],
    [
      "answers with a place that is not on Earth",
      answers({ latitude: 91, longitude: 0, source: "x" }),
    ],
    ["does not say where the location comes from", answers(PARIS)],
    ["answers with something else", () => Promise.resolve(new Response("hello"))],
  ] as const)("SC35 is unknown if the service %s", async ([, fetch]) => {
    expect(await locate(SERVICE, "192.0.2.1", AUSTIN, fetch)).toEqual(NOWHERE);
  });
});
