import { expect, test } from "vitest";
import { Api, type Fetch } from "../../src/client/http/api.ts";
import { listing } from "../../src/client/http/paging.ts";
import { PeerList } from "../../src/protocol/shapes/answers.ts";
import { api, json } from "./fake-api.ts";

/** An API whose requests are counted. */
function counted() {
  const urls: string[] = [];
  const fetch: Fetch = async (url) => {
    urls.push(url);
    return Response.json({ peers: [], next_cursor: null });
  };
  const options = { url: "http://mesh.test", token: undefined, fetch, random: () => 0 };
  return { urls, api: new Api(options) };
}

const offline = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

test("SK29 a request whose answer could not be read is not sent, and the next call loads the shape again", async () => {
  const { urls, api: client } = counted();
  const request = { method: "POST", path: "v1/peers" } as const;
  await expect(client.json(offline, request)).rejects.toThrow("Failed to fetch");
  const peers = listing(client, offline, { path: "v1/peers" }, () => []);
  await expect(peers.toArray()).rejects.toThrow("Failed to fetch");
  expect(urls).toEqual([]);

  const answer = await client.json(async () => PeerList, { path: "v1/peers" });
  expect(answer.peers).toEqual([]);
  expect(urls).toHaveLength(1);
});

test("SK29 an answer whose shape was loaded is validated by it", async () => {
  const { mesh } = api(json({ mode: "neither" }));
  await expect(mesh.settings.authMode()).rejects.toThrow(/v1\/auth-mode .*\(mode: Invalid option/);
});
