import type { Input } from "../src/contract/commands.ts";
import type { ExportAnswer, SpanBatch } from "../src/contract/tracing.ts";
import type { Executed } from "../src/coordinator/kernel/execute.ts";
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

/** Sends the spans of a coordinator, which runs the commands. Without a collector none are due. */
export function spanExporter(
  collector: Collector | null,
  run: <K extends SpanCommand>(name: K, input: Input<K>) => Executed<K>["result"],
): SpanExporter {
  const claim = () => {
    if (collector === null) return null;
    const claimed = run("claim_spans", {});
    return claimed.ok ? claimed.value.batch : null;
  };
  const send = async (body: string): Promise<ExportAnswer> =>
    collector === null ? NO_ANSWER : sendSpans(collector, body, () => Date.now());
  const answered = ({ upTo, spans }: SpanBatch, answer: ExportAnswer): void =>
    void run("spans_answered", { upTo, spans, answer });
  return new SpanExporter({ claim, send, answered });
}

const NO_ANSWER: ExportAnswer = { status: null, retryAfter: null, rejected: 0 };
