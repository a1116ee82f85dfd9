import type { Requirements } from "../protocol/http.ts";

/** The kind and requirements of a task. Many tasks of a long queue have the same. */
export interface Shape {
  readonly kind: string;
  readonly requirements: Requirements;
}

/** Equal for equal shapes. */
export const shapeKey = ({ kind, requirements }: Shape): string =>
  `${kind} ${JSON.stringify(requirements)}`;
