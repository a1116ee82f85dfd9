/** What `Number` reads, and nobody has written as a number. */
export const HOSTILE_NUMBERS = [
  "1e1",
  "1E1",
  "0x4",
  "0b1",
  " 4",
  "4 ",
  "+4",
  "4.0",
  "4.",
  "04",
  "-0",
  "-1",
  "1.5",
  "1_0",
  "Infinity",
  "٤",
  "9".repeat(20),
].map((text) => [text] as const);

/** Of these, what is no number with decimals either. */
export const HOSTILE_DECIMALS = HOSTILE_NUMBERS.filter(([text]) => !["1.5", "4.0"].includes(text));
