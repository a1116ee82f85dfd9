import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";

// The files that one workerd runs share its storage.
beforeAll(async () => {
  await reset();
  const { keys } = await env.BLOBS.list();
  await Promise.all(keys.map(({ name }) => env.BLOBS.delete(name)));
});
