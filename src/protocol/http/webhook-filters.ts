import { z } from "zod";

/** A header's name, in lower case as `Headers` has it. */
export const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, "1 to 100 letters, digits and '-'")
  .transform((name) => name.toLowerCase());

const Scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]);

const FILTER_PATTERN_CHARS_MAX = 200;

/** A condition for an event to become a task: exactly one place, and exactly one test of the value there. */
export const WebhookFilter = z
  .strictObject({
    header: HeaderName.optional().meta({
      description:
        "A header of the delivery. Most schemes do not sign headers, so its value is not authenticated",
    }),
    path: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: "The JSON path of a value in the event" }),
    equals: Scalar.optional(),
    one_of: z.array(Scalar).min(1).max(50).optional(),
    matches: z.string().min(1).max(FILTER_PATTERN_CHARS_MAX).optional().meta({
      description: "A pattern for the whole text: * matches any characters, ? matches one",
      example: "refs/heads/release-*",
    }),
  })
  .refine(({ header, path }) => (header === undefined) !== (path === undefined), {
    path: ["path"],
    message: "send exactly one of header and path",
  })
  .refine((filter) => TESTS.filter((test) => filter[test] !== undefined).length === 1, {
    path: ["equals"],
    message: "send exactly one of equals, one_of and matches",
  })
  .meta({ id: "WebhookFilter" });
export type WebhookFilter = z.infer<typeof WebhookFilter>;

const TESTS = ["equals", "one_of", "matches"] as const;
