/** The characters of JSON's syntax, as UTF-16 code units. */
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const POINT = 0x2e;
const SLASH = 0x2f;
export const ZERO = 0x30;
const NINE = 0x39;
export const COLON = 0x3a;
const UPPER_A = 0x41;
export const UPPER_E = 0x45;
const UPPER_F = 0x46;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
const LOWER_A = 0x61;
const LOWER_B = 0x62;
export const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_R = 0x72;
const LOWER_T = 0x74;
export const LOWER_U = 0x75;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

export const isWhiteSpace = (code: number): boolean =>
  code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB;

export const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

export const isHexDigit = (code: number): boolean =>
  isDigit(code) || (code >= LOWER_A && code <= LOWER_F) || (code >= UPPER_A && code <= UPPER_F);

/** Whether the character after a backslash makes a whole escape; `u` begins a longer one. */
export const isShortEscape = (code: number): boolean =>
  code === QUOTE ||
  code === BACKSLASH ||
  code === SLASH ||
  code === LOWER_B ||
  code === LOWER_F ||
  code === LOWER_N ||
  code === LOWER_R ||
  code === LOWER_T;

/** The literal that begins with the character, or null. */
export function literalOf(code: number): string | null {
  if (code === LOWER_T) return "true";
  if (code === LOWER_F) return "false";
  return code === LOWER_N ? "null" : null;
}
