import { SECOND, type Millis } from "../../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../../base/token-bucket.ts";
import { MESSAGES_BURST, MESSAGES_PER_SECOND } from "../../protocol/constants.ts";
import type { Json } from "../../base/json.ts";
import { AnswerCredit } from "./answer-credit.ts";
import { AnswerQueue, isAnswer } from "./answer-queue.ts";
import { AnswerWindow } from "./answer-window.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";

/** 10 % below the mesh's rate limit (RL2), because the two clocks do not run at exactly the same speed. */
const ALLOWANCE: TokenRate = {
  tokens: 0.9 * MESSAGES_PER_SECOND,
  per: SECOND,
  max: 0.9 * MESSAGES_BURST,
};
/** Messages of either sort that may wait. A program that exceeds this sends faster than the limit for long. */
const QUEUE_MAX = 2_048;

export interface SendPacerOptions {
  readonly now: () => Millis;
  /** Encrypts and sends a message, and returns the size of its frame in bytes. */
  readonly emit: (message: OutgoingMessage) => number;
  /** A ping for the window of answers. */
  readonly newPing: () => OutgoingMessage;
}

/**
 * Sends messages no faster than the mesh accepts them. Answers to offers are bounded by the window of answers, and those to
 * offers of this session by no rate; everything else is sent in order at the rate of the allowance (a token bucket). The window's pings spend
 * allowance too, and go before the other messages.
 */
export class SendPacer {
  readonly #options: SendPacerOptions;
  readonly #window = new AnswerWindow();
  readonly #credit = new AnswerCredit();
  readonly #answers = new AnswerQueue();
  /** Answers that spend allowance: repeats, and those about attempts of an earlier session. */
  readonly #chargedAnswers = new AnswerQueue();
  readonly #paced: OutgoingMessage[] = [];
  #allowance: TokenBucket;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isFlushing = false;

  constructor(options: SendPacerOptions) {
    this.#options = options;
    this.#allowance = { tokens: ALLOWANCE.max, at: options.now() };
  }

  /** Sends the message, now or when it may be sent; false if too many wait. */
  send(message: OutgoingMessage): boolean {
    if (!this.#enqueue(message)) return false;
    this.#flush();
    return true;
  }

  #enqueue(message: OutgoingMessage): boolean {
    if (!isAnswer(message)) return this.#paced.length < QUEUE_MAX && this.#paced.push(message) > 0;
    const queue = this.#credit.spend(message) ? this.#answers : this.#chargedAnswers;
    if (queue.size >= QUEUE_MAX) return false;
    queue.push(message);
    return true;
  }

  /** The mesh offered an attempt: the answers to it spend no allowance. */
  offerReceived(offer: Json): void {
    this.#credit.offered(offer);
  }

  /** The mesh answered a ping. False if the ping was not sent here. */
  pongReceived(pingId: string): boolean {
    const isOurs = this.#window.pongReceived(pingId);
    if (isOurs) this.#flush();
    return isOurs;
  }

  /** Drops what waits; `onSent` of these messages is never called. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#answers.clear();
    this.#chargedAnswers.clear();
    this.#paced.length = 0;
  }

  /** A message's `onSent` may send further messages: these join the queue, which is emptied by the same loop. */
  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      while (this.#sendNext());
    } finally {
      this.#isFlushing = false;
    }
    this.#setTimer();
  }

  /** Sends the message whose turn it is; false if none may be sent now. */
  #sendNext(): boolean {
    if (this.#window.pingDue && this.#takeToken()) {
      const ping = this.#options.newPing();
      this.#window.pingSent(ping.id);
      this.#emit(ping);
      return true;
    }
    const answer = this.#window.open ? this.#answers.shift() : undefined;
    if (answer !== undefined) {
      this.#emit(answer);
      return true;
    }
    // A ping that is due has not got a token, so there is none for other messages.
    if (this.#window.pingDue || !this.#hasCharged || !this.#takeToken()) return false;
    const charged = this.#window.open ? this.#chargedAnswers.shift() : undefined;
    const message = charged ?? this.#paced.shift();
    if (message !== undefined) this.#emit(message);
    return true;
  }

  /** Whether a message needs nothing but allowance. */
  get #hasCharged(): boolean {
    return this.#paced.length > 0 || (this.#window.open && this.#chargedAnswers.size > 0);
  }

  #emit(message: OutgoingMessage): void {
    const bytes = this.#options.emit(message);
    if (isAnswer(message)) this.#window.answerSent(bytes);
    message.onSent?.();
  }

  #setTimer(): void {
    if (this.#timer !== null || (!this.#window.pingDue && !this.#hasCharged)) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, ALLOWANCE.per / ALLOWANCE.tokens);
  }

  #takeToken(): boolean {
    const left = takeToken(this.#allowance, ALLOWANCE, this.#options.now());
    if (left === null) return false;
    this.#allowance = left;
    return true;
  }
}
