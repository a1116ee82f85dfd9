import { Worker } from "node:worker_threads";
import type { Job } from "./jobs.ts";

/** Number of threads: the machines that this is measured on have two cores. */
const THREADS = 2;

/**
 * Runs jobs on a few threads. The order of the figures is that of the jobs.
 *
 * @param F the figures that jobs of this type have
 */
export async function runJobs<F extends object>(jobs: readonly Job[]): Promise<readonly F[]> {
  const figures = new Map<Job, F>();
  const left = jobs.toReversed();
  const work = async () => {
    const worker = new Worker(new URL("job-thread.ts", import.meta.url));
    try {
      for (let job = left.pop(); job !== undefined; job = left.pop())
        figures.set(job, await answerTo<F>(worker, job));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: THREADS }, work));
  return jobs.map((job) => figures.get(job) as F);
}

const answerTo = <F>(worker: Worker, job: Job): Promise<F> =>
  new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (figures: F) => {
      worker.off("error", reject);
      resolve(figures);
    });
    worker.postMessage(job);
  });
