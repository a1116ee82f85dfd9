import { createServer, type AddressInfo } from "node:net";
import { Failure } from "./failure.ts";
import { errorCode } from "./files.ts";

/** A port that is free at the moment. */
export async function freePort(host: string): Promise<number> {
  try {
    return await bindOnce(host, 0);
  } catch (error) {
    throw listenFailure(error, host, 0);
  }
}

/** Why this machine cannot listen there, and which option to change. */
export function listenFailure(error: unknown, host: string, port: number): Failure {
  const code = errorCode(error) ?? "";
  if (code === "EADDRINUSE") return new Failure(`port ${port} is in use`, "choose another --port");
  if (NOT_AN_ADDRESS_HERE.has(code))
    return new Failure(
      `${host} is not an address of this machine (${code})`,
      "choose another --host; 0.0.0.0 stands for all its addresses",
    );
  return new Failure(`cannot listen on ${host}:${port} (${code})`, "choose another --port");
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
