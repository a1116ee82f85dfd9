/** Runs `call` again and again in `callers` concurrent loops, until the time is over; returns how many calls ended. */
export async function callFor(
  seconds: number,
  callers: number,
  call: () => Promise<unknown>,
): Promise<{ readonly calls: number; readonly seconds: number }> {
  const began = performance.now();
  const until = began + seconds * 1_000;
  let calls = 0;
  const loop = async () => {
    while (performance.now() < until) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return { calls, seconds: (performance.now() - began) / 1_000 };
}
