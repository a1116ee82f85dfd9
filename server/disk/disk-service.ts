import { createServer } from "node:http";
import { listenOnLoopback, type LoopbackServer } from "../loopback-server.ts";

/** Answers the Worker, which sees no disk: `{"shortage": TEXT}`, or null if the disk has room. */
export const serveDisk = (shortage: () => string | null): Promise<LoopbackServer> =>
  listenOnLoopback(
    createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ shortage: shortage() }));
    }),
  );
