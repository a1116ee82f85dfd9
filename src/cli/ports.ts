import { createServer, type AddressInfo } from "node:net";
import { Failure } from "./failure.ts";
import { errorCode } from "./files.ts";

/** Throws when the port cannot be bound; wrangler's own error would be less clear. */
export async function checkPort(host: string, port: number): Promise<void> {
  try {
    await bindOnce(host, port);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EADDRINUSE") throw new Failure(`port ${port} is in use`, "choose another --port");
    throw new Failure(`cannot listen on ${host}:${port} (${code})`, "choose another --port");
  }
}

/** A port that is free at the moment. */
export const freePort = (host: string): Promise<number> => bindOnce(host, 0);

/** Binds a port and releases it; returns its number. */
function bindOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}
