import { isDigit, LOWER_E, MINUS, PLUS, POINT, UPPER_E, ZERO } from "./characters.ts";

/** What of a number was read last. */
export type NumberState =
  | "minus"
  | "zero"
  | "integer"
  | "point"
  | "fraction"
  | "exponent"
  | "exponent_sign"
  | "exponent_digits";

/** The state after the first character of a number; null if no number begins with it. */
export function numberStart(code: number): NumberState | null {
  if (code === MINUS) return "minus";
  if (code === ZERO) return "zero";
  return isDigit(code) ? "integer" : null;
}

/** The state after one more character; null if the number ends before it. */
export function numberNext(state: NumberState, code: number): NumberState | null {
  const digit = isDigit(code);
  switch (state) {
    case "minus":
      return digit ? (code === ZERO ? "zero" : "integer") : null;
    case "zero":
      return code === POINT ? "point" : exponentStart(code);
    case "integer":
      if (digit) return "integer";
      return code === POINT ? "point" : exponentStart(code);
    case "point":
      return digit ? "fraction" : null;
    case "fraction":
      return digit ? "fraction" : exponentStart(code);
    case "exponent":
      if (code === PLUS || code === MINUS) return "exponent_sign";
      return digit ? "exponent_digits" : null;
    case "exponent_sign":
    case "exponent_digits":
      break;
  }
  return digit ? "exponent_digits" : null;
}

const exponentStart = (code: number): NumberState | null =>
  code === LOWER_E || code === UPPER_E ? "exponent" : null;

/** Whether the number may end here. */
export const isCompleteNumber = (state: NumberState): boolean =>
  state === "zero" || state === "integer" || state === "fraction" || state === "exponent_digits";
