/** A worker thread that runs the jobs that it is sent, one after another. */
import { parentPort } from "node:worker_threads";
import { runJob, type Job } from "./jobs.ts";
import { readTraces } from "./traces.ts";

const traces = readTraces();
parentPort?.on("message", (job: Job) => {
  if (traces === null) throw new Error("the traces are missing");
  parentPort?.postMessage(runJob(traces, job));
});
