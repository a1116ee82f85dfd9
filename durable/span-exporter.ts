import type { Input } from "../src/contract/commands.ts";
import type { ExportAnswer, SpanBatch } from "../src/contract/tracing.ts";
import type { Executed } from "../src/coordinator/kernel/execute.ts";
import { areSpansDue } from "../src/coordinator/tracing/export-spans.ts";
import type { Registry } from "../src/registry/registry.ts";
import { sendSpans, type Collector } from "./span-sender.ts";

export interface SpanPorts {
  /** The next request that is due; null when none is. */
  readonly claim: () => SpanBatch | null;
  readonly send: (body: string) => Promise<ExportAnswer>;
  readonly answered: (batch: SpanBatch, answer: ExportAnswer) => void;
}

/** Sends spans, one request after another. Nothing waits for it. */
export class SpanExporter {
  readonly #ports: SpanPorts;
  #isSending = false;

  constructor(ports: SpanPorts) {
    this.#ports = ports;
  }

  /** Resolves when nothing more is due. */
  async run(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let batch = this.#ports.claim(); batch !== null; batch = this.#ports.claim())
        this.#ports.answered(batch, await this.#ports.send(batch.body));
    } finally {
      this.#isSending = false;
    }
  }
}

type SpanCommand = "claim_spans" | "spans_answered";

/** Sends the spans of a coordinator, which runs the commands. */
export function spanExporter(
  collector: Collector,
  registry: Registry,
  run: <K extends SpanCommand>(name: K, input: Input<K>) => Executed<K>["result"],
): SpanExporter {
  const claim = () => {
    // A command is a transaction. Without spans there is none.
    if (!areSpansDue(registry, Date.now())) return null;
    const claimed = run("claim_spans", {});
    return claimed.ok ? claimed.value.batch : null;
  };
  const send = (body: string): Promise<ExportAnswer> =>
    sendSpans(collector, body, () => Date.now());
  const answered = ({ upTo, spans }: SpanBatch, answer: ExportAnswer): void =>
    void run("spans_answered", { upTo, spans, answer });
  return new SpanExporter({ claim, send, answered });
}
