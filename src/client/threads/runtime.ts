/** Whether this runtime has `node:worker_threads`: Node, Deno and Bun. */
export const hasNodeThreads = (): boolean => {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
};
