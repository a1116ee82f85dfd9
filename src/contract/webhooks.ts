import type { Millis } from "../base/clock.ts";
import type {
  CallbackSecretView,
  DeliveryOutcome,
  KeptDelivery,
  TaskView,
  RefusedList,
  WebhookSourceView,
} from "../protocol/http.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { WebhookDelivery } from "../registry/webhook-deliveries.ts";
import type { WebhookSource } from "../registry/webhook-sources.ts";
import type {
  Answer,
  CallbackPlace,
  LastOwners,
  DeliveryIds,
  RefusalReport,
  Verdict,
} from "../webhooks/index.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty, TaskInput, PageInput, PageOutput } from "./inputs.ts";
import type { SubmitInput } from "./tasks.ts";

/** Webhooks that become tasks, and callbacks that report how tasks ended. */
export interface WebhookCommands {
  put_webhook_source: { caller: "gateway"; input: SourceInput; output: WebhookSourceView };
  get_webhook_source: {
    caller: "gateway";
    input: { readonly name: string };
    output: WebhookSourceView;
  };
  /** With the sealed secret: the gateway verifies a delivery with it and never shows it to a caller. */
  open_webhook_source: {
    caller: "gateway";
    input: { readonly name: string };
    output: WebhookSource;
  };
  /** What tells the gateway which of the sources that it has opened are still the current ones. */
  webhook_source_versions: {
    caller: "gateway";
    input: Empty;
    output: { readonly sources: readonly Pick<WebhookSource, "name" | "id" | "revision">[] };
  };
  list_webhook_sources: {
    caller: "gateway";
    input: Empty;
    output: { readonly sources: WebhookSourceView[] };
  };
  remove_webhook_source: {
    caller: "gateway";
    input: { readonly name: string; readonly keepTasks?: boolean };
    output: Empty;
  };
  /**
   * Records a delivery whose signature is valid and submits its task, in one transaction. It does neither if the source has
   * changed since the gateway read the rules by which it evaluated the delivery.
   */
  receive_delivery: {
    caller: "gateway";
    input: DeliveryInput;
    output: ReceivedDelivery | SourceChanged;
  };
  list_deliveries: {
    caller: "gateway";
    input: PageInput & {
      readonly source: string;
      readonly outcome?: DeliveryOutcome | undefined;
    };
    output: PageOutput & { readonly deliveries: KeptDelivery[] };
  };
  /** Refused deliveries that an isolate of the gateway has counted. */
  report_refusals: { caller: "gateway"; input: RefusalReport; output: Empty };
  list_refused: { caller: "gateway"; input: { readonly source: string }; output: RefusedList };
  /** With its sealed content: for a replay or a dry run. */
  open_delivery: {
    caller: "gateway";
    input: { readonly source: string; readonly id: string };
    output: WebhookDelivery;
  };
  /** Schedules again a callback that was delivered or has failed for good. */
  repeat_callback: { caller: "gateway"; input: TaskInput; output: TaskView };
  get_callback_secret: {
    caller: "gateway";
    input: CallbackSecretInput;
    output: CallbackSecretView;
  };
  /** The secret before signs for `overlapSeconds`, too. */
  rotate_callback_secret: {
    caller: "gateway";
    input: CallbackSecretInput & { readonly overlapSeconds: number };
    output: CallbackSecretView;
  };
  end_previous_callback_secret: {
    caller: "gateway";
    input: CallbackSecretInput;
    output: CallbackSecretView;
  };

  claim_callback: {
    caller: "mesh";
    input: {
      /** The attempts in progress. */
      readonly inProgress: readonly CallbackPlace[];
      /** By the health of the receiver, the owner whose callback was claimed last: the others come before it. */
      readonly afterOwners: LastOwners;
    };
    output: { readonly request: CallbackRequest | null };
  };
  callback_answered: {
    caller: "mesh";
    input: {
      readonly taskId: string;
      /** Of the task when the attempt began: the attempts of each of its ends are counted apart. */
      readonly retries: number;
      readonly attempt: number;
      readonly answer: Answer;
    };
    output: Empty;
  };
}

export const WEBHOOK_CALLERS: CallersOf<WebhookCommands> = {
  put_webhook_source: "gateway",
  get_webhook_source: "gateway",
  open_webhook_source: "gateway",
  webhook_source_versions: "gateway",
  list_webhook_sources: "gateway",
  remove_webhook_source: "gateway",
  receive_delivery: "gateway",
  list_deliveries: "gateway",
  report_refusals: "gateway",
  list_refused: "gateway",
  open_delivery: "gateway",
  repeat_callback: "gateway",
  get_callback_secret: "gateway",
  rotate_callback_secret: "gateway",
  end_previous_callback_secret: "gateway",
  claim_callback: "mesh",
  callback_answered: "mesh",
};

/** The secret of an owner's callbacks to the origin of a URL. */
export interface CallbackSecretInput extends Pick<TaskInput, "visibleTo"> {
  readonly owner: string;
  readonly url: string;
}

export type SourceInput = Omit<WebhookSource, "id" | "createdAt" | "deliveries" | "revision"> & {
  /** The revision that the secrets were read from, when the request keeps them; refused if the source has changed since. */
  readonly secretsFrom?: number | undefined;
};

/** A delivery whose signature is valid, or one that an operator replays. */
export interface DeliveryInput {
  readonly source: string;
  /** The ID of the source, and the revision by whose secrets and rules the verdict was reached. */
  readonly sourceId: string;
  readonly revision: number;
  readonly deliveryId: string;
  /** Another ID under which a task that was created since then is this delivery's, too. */
  readonly earlier: DeliveryIds["earlier"];
  readonly bytes: number;
  /** The part of the delivery that is stored, sealed; null when none is. */
  readonly sealed: string | null;
  readonly verdict: Verdict;
  /** The trace that the request belongs to. Its sender's signature does not cover it. */
  readonly trace?: SubmitInput["trace"];
  readonly replay: {
    /** ID of the delivery that is replayed. */
    readonly of: string;
    /** Set to make a second task of a delivery that became a task; the key makes the replay itself idempotent. */
    readonly newTask: string | null;
  } | null;
}

/** The source has another revision by now: the delivery must be evaluated again. */
interface SourceChanged {
  readonly outcome: "source_changed";
}

export interface ReceivedDelivery {
  readonly outcome: DeliveryOutcome;
  readonly taskId: string | null;
  readonly detail: string | null;
  /** Why the coordinator did not accept the task; null when it did or there was none. */
  readonly error: MusterError | null;
}

/** One attempt at a callback: what to send, and where. */
export interface CallbackRequest extends CallbackPlace {
  readonly taskId: string;
  readonly retries: number;
  readonly attempt: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How long the receiver may take to answer. */
  readonly timeoutMs: Millis;
}
