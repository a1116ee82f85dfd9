/** The process of the demo's controller: a peer that runs no tasks but submits them, over HTTP and by signed webhooks. */
import {
  connectPeer,
  controller,
  deliver,
  newWebhookSecret,
  type Task,
} from "../../client/index.ts";
import { ControllerConfig, DIGEST_CAPABILITY, DIGEST_KIND, type Job } from "./messages.ts";
import { connectToParent, warningText } from "./parent-link.ts";

/** Tasks in flight at once: every slot of the workers is filled, and some tasks are queued. */
const TASKS_IN_FLIGHT = 12;
/** The flaky worker may fail one task several times. */
const MAX_ATTEMPTS = 12;
const SOURCE = "demo";

const { config, report, onInstruction } = await connectToParent(ControllerConfig);
const { url, token, meshKey, privateKey } = config;
const mesh = controller({ url, token });
const secret = newWebhookSecret();
const requirements = { capabilities: [DIGEST_CAPABILITY] };

/** Submits the task of a job; returns the ID of the task. */
async function submit({ via, file, content }: Job): Promise<string> {
  if (via === "webhook") {
    const event = { type: DIGEST_KIND, data: { file, content } };
    const { task_id: id, filtered } = await deliver(event, { url, source: SOURCE, secret });
    if (id === null) throw new Error(`the webhook source dropped the event: ${filtered}`);
    return id;
  }
  const options = { ...requirements, maxAttempts: MAX_ATTEMPTS };
  return (await mesh.tasks.submit(DIGEST_KIND, { file, content }, options)).id;
}

async function submitAndWait(job: Job): Promise<Task> {
  const id = await submit(job);
  return mesh.tasks.wait(id);
}

/** Processes jobs from the shared list until it is empty. */
async function processJobs(jobs: Job[]): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    report({ type: "ended", index: job.index, task: await submitAndWait(job) });
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
    const text = warningText(event);
    if (text !== null) report({ type: "warning", text });
  },
});
onInstruction((instruction) => {
  if (instruction.type === "stop") void peer.close().then(() => process.exit(0));
  else
    void Promise.all(Array.from({ length: TASKS_IN_FLIGHT }, () => processJobs(instruction.jobs)));
});
await mesh.webhooks.put(SOURCE, {
  scheme: "standard-webhooks",
  secret,
  task: { kind: "$.type", payload: "$.data", requirements, max_attempts: MAX_ATTEMPTS },
});
await peer.ready;
report({ type: "joined" });
