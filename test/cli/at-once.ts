import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

const CLI = new URL("../../src/cli/", import.meta.url).href;

/**
 * Runs a program in processes of its own: `CLI` in it is the folder of the CLI's source, `N` the number of the process. The processes
 * wait for each other, and `await begin()` resolves in all at once. Returns their exit codes and signals.
 */
export async function runAtOnce(
  count: number,
  program: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly (number | string | null)[]> {
  const source = `
    const CLI = ${JSON.stringify(CLI)}, N = Number(process.env.N);
    const begin = () => new Promise((resolve) => { process.stdin.once("data", resolve); process.stdout.write("ready"); });
    ${program}
    process.exit(0);`;
  const children = Array.from({ length: count }, (_, n) =>
    spawn(process.execPath, ["--input-type=module", "--eval", source], {
      env: { ...process.env, ...env, N: String(n) },
      stdio: ["pipe", "pipe", "pipe"],
    }),
  );
  const errors = children.map(({ stderr }) => text(stderr));
  const exits = children.map((child) => once(child, "close"));
  await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
  for (const { stdin } of children) {
    stdin.on("error", () => {});
    stdin.write("begin");
  }
  await Promise.all(exits);
  const printed = (await Promise.all(errors)).join("");
  if (printed !== "") throw new Error(printed);
  return children.map(({ exitCode, signalCode }) => signalCode ?? exitCode);
}
