/** Numbers in a query string, where they arrive as text. */
import { z } from "zod";
import { readDecimal, readWholeNumber } from "../../base/number-text.ts";

const numberIn = <T extends z.ZodType<number>>(
  schema: T,
  read: (text: string) => number | null,
  form: string,
) =>
  z.preprocess((value, context) => {
    const number = typeof value === "string" ? read(value) : value;
    if (number !== null) return number;
    context.addIssue({ code: "custom", message: form, input: value });
    return z.NEVER;
  }, schema);

/** A whole number in decimal digits. */
export const queryInt = (min: number, max: number) =>
  numberIn(
    z.int().min(min).max(max),
    readWholeNumber,
    `expected a whole number in decimal digits, from ${min} to ${max}`,
  );

/** A number in decimal digits, with or without decimals. */
export const queryNumber = (min: number, max: number) =>
  numberIn(
    z.number().min(min).max(max),
    readDecimal,
    `expected a number in decimal digits, from ${min} to ${max}`,
  );
