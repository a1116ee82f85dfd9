// The discovery replica on Node: `npm run replica`. It listens on the port PORT of the address HOST.
import { serve } from "@hono/node-server";
import app from "../workers/discovery.ts";

const port = Number(process.env.PORT ?? 8080);
const hostname = process.env.HOST ?? "127.0.0.1";
serve({ fetch: app.fetch, port, hostname }, (info) => {
  process.stdout.write(`replica at http://${hostname}:${info.port}\n`);
});
