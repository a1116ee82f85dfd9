/** An answer that is an error, or no answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** The code of the problem document, or `no_answer`. */
  readonly code: string;

  /** Whether asking again at once has the same answer. A mesh that starts answers 503. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500;
  }

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** What to show of an error of any kind. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
