// The discovery replica on Node: `npm run replica`. It listens on the port PORT of the address HOST.
import { serve } from "@hono/node-server";
import { EXIT_FAILED, EXIT_SETTINGS, startReplica } from "../workers/start-replica.ts";

/** Ends with the reasons. They name variables, never their values. */
function end(exitCode, faults) {
  for (const fault of faults) process.stderr.write(`replica: ${fault}\n`);
  process.exit(exitCode);
}

const { PORT = "8080", HOST: hostname = "127.0.0.1" } = process.env;
const port = /^\d{1,5}$/.test(PORT) ? Number(PORT) : Number.NaN;
if (!(port <= 65_535)) end(EXIT_SETTINGS, ["PORT is not a port, a whole number from 0 to 65535"]);

const started = await startReplica(process.env);
if (!started.ok) end(started.error.exitCode, started.error.faults);
for (const note of started.value.notes) process.stderr.write(`replica: ${note}\n`);

const server = serve({ fetch: started.value.app.fetch, port, hostname }, (info) => {
  process.stdout.write(`replica at http://${hostname}:${info.port}\n`);
});
server.on("error", ({ code }) => {
  end(EXIT_FAILED, [`PORT and HOST: this address can't be listened on (${code})`]);
});
