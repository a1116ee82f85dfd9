/** The form by which a task is submitted. */

/** What was typed. An empty field is left out of the request, and the mesh takes its default. */
export interface TaskForm {
  readonly kind: string;
  /** JSON. */
  readonly payload: string;
  /** Labels that the peer must have, separated by white space. */
  readonly labels: string;
  readonly peer: string;
  readonly priority: string;
  readonly attempts: string;
  readonly deadline: string;
}

export const EMPTY_REQUEST: TaskForm = {
  kind: "",
  payload: "",
  labels: "",
  peer: "",
  priority: "",
  attempts: "",
  deadline: "",
};

/** The body of the request. The payload is in it as it was typed, so that no number loses a digit. */
export function requestText(form: TaskForm): string {
  const labels = form.labels.split(/\s+/).filter(Boolean);
  const peer = form.peer.trim();
  const rest = {
    kind: form.kind.trim(),
    ...((labels.length > 0 || peer !== "") && {
      requirements: {
        ...(labels.length > 0 && { capabilities: labels }),
        ...(peer !== "" && { peer_id: peer }),
      },
    }),
    ...numberOf("priority", form.priority),
    ...numberOf("max_attempts", form.attempts),
    ...numberOf("deadline_seconds", form.deadline),
  };
  const payload = form.payload.trim() === "" ? "null" : form.payload;
  return `${JSON.stringify(rest).slice(0, -1)},"payload":${payload}}`;
}

const numberOf = (name: string, text: string): Readonly<Record<string, number>> =>
  text.trim() === "" ? {} : { [name]: Number(text) };
