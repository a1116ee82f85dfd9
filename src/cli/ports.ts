import { createServer, type AddressInfo } from "node:net";
import { Failure } from "./failure.ts";
import { errorCode } from "./files.ts";

/** Throws when nothing can listen there, before wrangler fails in a less clear way. */
export async function checkPort(host: string, port: number): Promise<void> {
  try {
    await listenBriefly(host, port);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EADDRINUSE") throw new Failure(`port ${port} is taken`, "choose another --port");
    throw new Failure(`nothing can listen on ${host}:${port} (${code})`, "choose another --port");
  }
}

/** A port that is free now. */
export const freePort = (host: string): Promise<number> => listenBriefly(host, 0);

function listenBriefly(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}
