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

/** What the user wrote to set the address and the port. */
interface Named {
  readonly host: string;
  readonly port: string;
}

/** Why this machine cannot listen there, and which setting to change. */
export function listenFailure(
  error: unknown,
  host: string,
  port: number,
  named: Named = { host: "--host", port: "--port" },
): Failure {
  const code = errorCode(error) ?? "";
  if (code === "EADDRINUSE")
    return new Failure(
      `port ${port} of ${host} is in use (${code})`,
      `end the program that uses it, or choose another port: ${named.port}`,
    );
  if (NOT_AN_ADDRESS_HERE.has(code))
    return new Failure(
      `${host} is not an address of this machine (${code})`,
      `choose another address: ${named.host}; 0.0.0.0 stands for all addresses of this machine`,
    );
  if (code === "EACCES")
    return new Failure(
      `this user may not listen on port ${port} (${code})`,
      `choose a port above 1023: ${named.port}; or put a proxy in front of the mesh`,
    );
  return new Failure(
    `cannot listen on ${host}:${port} (${code})`,
    `choose another address or port: ${named.host}, ${named.port}`,
  );
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
