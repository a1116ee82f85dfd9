import {
  FRAME_QUEUE_BYTES_MAX,
  FRAME_QUEUE_MAX,
  TASK_RESULT_BYTES_MAX,
} from "../../protocol/constants.ts";

/**
 * Answers that may be sent before the mesh has confirmed them: half of what the mesh lets wait of one session. The other
 * half is for everything else that the peer sends.
 */
export const ANSWER_WINDOW_FRAMES = FRAME_QUEUE_MAX / 2;
export const ANSWER_WINDOW_BYTES = FRAME_QUEUE_BYTES_MAX / 2;
/** A ping follows after this many answers, or bytes of them. Its pong confirms them: several are under way in a full window. */
export const PING_AFTER_FRAMES = ANSWER_WINDOW_FRAMES / 8;
const PING_AFTER_BYTES = ANSWER_WINDOW_BYTES / 8;
/**
 * The largest frame of one answer: go-p2p's encoding adds less than the result's own size. It is reserved, because the
 * size of a frame is known only after its encryption, and then it must be sent.
 */
const ANSWER_FRAME_BYTES_MAX = 2 * TASK_RESULT_BYTES_MAX;

interface Total {
  readonly frames: number;
  readonly bytes: number;
}
const NOTHING: Total = { frames: 0, bytes: 0 };

/**
 * What a session has sent in answer to offers and the mesh has not yet processed. The mesh processes frames in order and
 * answers a ping once it has reached it, so a pong confirms every answer that was sent before its ping. A session that
 * sends few answers never has a ping due.
 */
export class AnswerWindow {
  /** Totals since the session began. */
  #sent = NOTHING;
  #pinged = NOTHING;
  #confirmed = NOTHING;
  /** The pings without a pong, with what had been sent before each. */
  readonly #pings = new Map<string, Total>();

  /** Whether an answer may be sent. While it may not, a ping is due or under way whose pong opens the window. */
  get open(): boolean {
    const { frames, bytes } = difference(this.#sent, this.#confirmed);
    return frames < ANSWER_WINDOW_FRAMES && bytes <= ANSWER_WINDOW_BYTES - ANSWER_FRAME_BYTES_MAX;
  }

  get pingDue(): boolean {
    const { frames, bytes } = difference(this.#sent, this.#pinged);
    return frames >= PING_AFTER_FRAMES || bytes >= PING_AFTER_BYTES;
  }

  /** An answer of this size was sent. */
  answerSent(frameBytes: number): void {
    const { frames, bytes } = this.#sent;
    this.#sent = { frames: frames + 1, bytes: bytes + frameBytes };
  }

  pingSent(id: string): void {
    this.#pinged = this.#sent;
    this.#pings.set(id, this.#sent);
  }

  /** The mesh answered a ping. False if it is none of the window's. */
  pongReceived(pingId: string): boolean {
    const total = this.#pings.get(pingId);
    if (total === undefined) return false;
    this.#pings.delete(pingId);
    if (total.frames > this.#confirmed.frames) this.#confirmed = total;
    return true;
  }
}

const difference = (a: Total, b: Total): Total => ({
  frames: a.frames - b.frames,
  bytes: a.bytes - b.bytes,
});
