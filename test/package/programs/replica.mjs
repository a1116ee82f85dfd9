// Starts a replica without settings, and one whose store does not answer.
import process from "node:process";
import { ReplicaError, serveReplica, startReplica } from "muster-mesh/replica";

const error = await startReplica({}).catch((thrown) => thrown);
const variables = {
  UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
  UPSTASH_REDIS_REST_TOKEN: "token",
  MESH_VERIFYING_KEY: "11".repeat(32),
};
const served = await serveReplica({ variables, port: 0 });
const page = await fetch(`${served.url}/troubleshooting`);
console.log(
  JSON.stringify({
    refused: error instanceof ReplicaError,
    faults: error.faults?.length > 0,
    notes: served.notes.length,
    answers: page.status,
  }),
);
process.exit(0);
