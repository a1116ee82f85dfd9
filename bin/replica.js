// The replica of discovery on Node: `npm run replica`. PORT and HOST say where it listens.
import { serve } from "@hono/node-server";
import app from "../workers/discovery.ts";

const port = Number(process.env.PORT ?? 8080);
const hostname = process.env.HOST ?? "127.0.0.1";
serve({ fetch: app.fetch, port, hostname }, (info) => {
  process.stdout.write(`replica at http://${hostname}:${info.port}\n`);
});
