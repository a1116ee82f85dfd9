/** The process of the demo's controller: a peer that takes no work but gives it, over HTTP and by signed webhooks. */
import {
  connectPeer,
  controller,
  deliver,
  newWebhookSecret,
  type Task,
} from "../../client/index.ts";
import { ControllerOrders, DIGEST_CAPABILITY, DIGEST_KIND, type Job } from "./messages.ts";
import { demoEnd, troubleOf } from "./peer-process.ts";

/** Tasks under way at once: enough that every worker has a full hand and some have to wait. */
const AT_ONCE = 12;
/** The flaky worker may meet one task several times. */
const ATTEMPTS = 12;
const SOURCE = "demo";

const { orders, report, onOrder } = await demoEnd(ControllerOrders);
const { url, token, meshKey, privateKey } = orders;
const mesh = controller({ url, token });
const secret = newWebhookSecret();
const requirements = { capabilities: [DIGEST_CAPABILITY] };

async function submit({ via, file, content }: Job): Promise<string> {
  if (via === "webhook") {
    const event = { type: DIGEST_KIND, data: { file, content } };
    const { task_id: id, filtered } = await deliver(event, { url, source: SOURCE, secret });
    if (id === null) throw new Error(`the webhook source left it out: ${filtered}`);
    return id;
  }
  const options = { ...requirements, maxAttempts: ATTEMPTS };
  return (await mesh.assign(DIGEST_KIND, { file, content }, options)).id;
}

async function see(job: Job): Promise<Task> {
  const id = await submit(job);
  return mesh.wait(id);
}

/** Takes jobs from the common list until it is empty. */
async function work(jobs: Job[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    report({ type: "ended", index: job.index, task: await see(job) });
  }
}

const peer = connectPeer({
  url,
  meshKey,
  privateKey,
  name: "controller",
  role: "controller",
  slots: 0,
  onEvent: (event) => {
    const text = troubleOf(event);
    if (text !== null) report({ type: "trouble", text });
  },
});
onOrder((order) => {
  if (order.type === "stop") void peer.close().then(() => process.exit(0));
  else void Promise.all(Array.from({ length: AT_ONCE }, () => work(order.jobs)));
});
await mesh.putWebhookSource(SOURCE, {
  scheme: "standard-webhooks",
  secret,
  task: { kind: "$.type", payload: "$.data", requirements, max_attempts: ATTEMPTS },
});
await peer.ready;
report({ type: "joined" });
