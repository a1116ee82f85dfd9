import { createServer, type AddressInfo } from "node:net";
import { Failure } from "./failure.ts";
import { errorCode } from "./files.ts";

/** Throws when the port cannot be bound; wrangler's own error would be less clear. */
export async function checkPort(host: string, port: number): Promise<void> {
  await listeningPort(host, port);
}

/** A port that is free at the moment. */
export const freePort = (host: string): Promise<number> => listeningPort(host, 0);

/** The port on which this machine can listen, or an error that says which option to change. */
async function listeningPort(host: string, port: number): Promise<number> {
  try {
    return await bindOnce(host, port);
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (code === "EADDRINUSE") throw new Failure(`port ${port} is in use`, "choose another --port");
    if (NOT_AN_ADDRESS_HERE.has(code))
      throw new Failure(
        `${host} is not an address of this machine (${code})`,
        "choose another --ip; 0.0.0.0 stands for all its addresses",
      );
    throw new Failure(`cannot listen on ${host}:${port} (${code})`, "choose another --port");
  }
}

const NOT_AN_ADDRESS_HERE: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ENOTFOUND",
]);

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
