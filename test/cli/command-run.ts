import { vi } from "vitest";
import { runCommandLine } from "../../src/cli/run.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, as the program does, and collects what it writes. */
export async function muster(...argv: readonly string[]): Promise<Outcome> {
  const text = { out: "", err: "" };
  const collect = (name: "out" | "err") => (chunk: unknown) => {
    text[name] += String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(collect("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(collect("err")),
  ];
  try {
    const code = await runCommandLine(argv);
    return { code, ...text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
