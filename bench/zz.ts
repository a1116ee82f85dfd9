import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startPlainMesh } from "./plain/mesh.ts";
import { connectInspector } from "./assign/inspector.ts";
import { connectPeers, KIND } from "./assign/peers.ts";
import * as st from "./assign/self-times.ts";
import { TaskApi } from "./assign/task-api.ts";
const dir = await mkdtemp(join(tmpdir(), "muster-profile-"));
const mesh = await startPlainMesh({ dir, inspector: true });
const places = st.placesOf(mesh.bundle);
const peers = await connectPeers(mesh, { count: 4, slots: 16 });
const api = new TaskApi(mesh);
let stop = false,
  n = 0;
const done = () => peers.runs.reduce((a, b) => a + b, 0);
const load = (async () => {
  while (!stop) {
    if (n - done() > 1500) {
      await sleep(5);
      continue;
    }
    n += (await api.submitBatch(KIND, 100)).length;
  }
})();
await sleep(3000);
const insp = await connectInspector(mesh.inspectorPort ?? 0, "mesh");
await insp.startProfile();
const a = done();
const t = performance.now();
await sleep(5000);
const profile = await insp.stopProfile();
console.log("per second", ((done() - a) / ((performance.now() - t) / 1000)).toFixed(0));
stop = true;
await load;
for (const line of st.timeTable(st.ownTimes(profile, places), 70)) console.log(line);
await mesh.stop();
process.exit(0);
