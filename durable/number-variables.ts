import { z } from "zod";
import { readSignedDecimal, readWholeNumber } from "../src/base/number-text.ts";

/** A variable of the environment is a text; in `wrangler.toml` it may also be a number. */
const given = z.union([z.string(), z.number()], { error: "is not a number" });

/** A negative one is read to be told that it is too small. */
const signedWholeNumber = (text: string): number | null =>
  text.startsWith("-") ? readSignedDecimal(text) : readWholeNumber(text);

/** A whole number from `min` up to `max`. */
export const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  given.transform((value, context): number => {
    const number = typeof value === "number" ? value : signedWholeNumber(value);
    if (number === null || !Number.isSafeInteger(number))
      context.addIssue("is not a whole number in decimal digits");
    else if (number < min) context.addIssue(`is below ${min}`);
    else if (number > max) context.addIssue(`is above ${max}`);
    else return number;
    return z.NEVER;
  });

/** A number from 0 to 1. */
export const share = given.transform((value, context): number => {
  const number = typeof value === "number" ? value : readSignedDecimal(value);
  if (number === null || Number.isNaN(number)) context.addIssue("is not a number from 0 up");
  else if (number < 0) context.addIssue("is below 0");
  else if (number > 1) context.addIssue("is above 1");
  else return number;
  return z.NEVER;
});
