import { isInstalled, PACKAGE } from "./command-name.ts";
import { Failure } from "./failure.ts";
import type { ServerModule } from "./server-module.ts";
import { version } from "./version.ts";

/** The package that runs a mesh. A machine that only works or submits tasks does not need it. */
const SERVER_PACKAGE = "muster-mesh-server";

/** In a checkout. The name is no literal in `import`: the server is no part of the package with the command line. */
const SOURCES = "../../server/index.ts";

/** Loads the server: in a checkout from its sources, else from its package, which must have the version of this one. */
export async function loadServer(
  load: (specifier: string) => Promise<unknown> = (specifier) => import(specifier),
  installed = isInstalled(),
): Promise<ServerModule> {
  if (!installed) return (await load(SOURCES)) as ServerModule;
  try {
    return (await load(SERVER_PACKAGE)) as ServerModule;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Failure(
      `the package ${SERVER_PACKAGE} is not installed`,
      `it runs a mesh on this machine: \`${installCommand(version())}\``,
    );
  }
}

const installCommand = (exact: string): string =>
  `npm install ${PACKAGE}@${exact} ${SERVER_PACKAGE}@${exact}`;

/** Whether the package itself is missing, rather than something that it needs. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes(`'${SERVER_PACKAGE}'`);
