import type { ExportAnswer, SpanBatch } from "../src/contract/tracing.ts";

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
