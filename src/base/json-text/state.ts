/** What a scanner expects outside of strings, numbers and literals. */
export type StructuralState =
  | "value"
  | "value_or_close"
  | "key"
  | "key_or_close"
  | "colon"
  | "comma_or_close"
  | "done";

/** What a scanner reads next. */
export type State = "string" | "escape" | "hex" | "number" | "literal" | StructuralState;
