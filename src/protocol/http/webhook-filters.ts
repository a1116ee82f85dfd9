import { z } from "zod";

/** A header's name, as `Headers` writes it. */
export const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, "1 to 100 letters, digits and '-'")
  .transform((name) => name.toLowerCase());

const Scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]);

export const FILTER_PATTERN_CHARS_MAX = 200;

/** What an event must have to become a task: exactly one place, and exactly one test of what stands there. */
export const WebhookFilter = z
  .object({
    header: HeaderName.optional().meta({
      description: "A header of the delivery. Most schemes sign none: what it says is no proof",
    }),
    path: z.string().min(1).max(500).optional().meta({ description: "A JSON path into the event" }),
    equals: Scalar.optional(),
    one_of: z.array(Scalar).min(1).max(50).optional(),
    matches: z.string().min(1).max(FILTER_PATTERN_CHARS_MAX).optional().meta({
      description: "A text in which * stands for any characters and ? for any one",
      example: "refs/heads/release-*",
    }),
  })
  .refine(({ header, path }) => (header === undefined) !== (path === undefined), {
    path: ["path"],
    message: "give either header or path",
  })
  .refine((filter) => TESTS.filter((test) => filter[test] !== undefined).length === 1, {
    path: ["equals"],
    message: "give one of equals, one_of and matches",
  })
  .meta({ id: "WebhookFilter" });
export type WebhookFilter = z.infer<typeof WebhookFilter>;

const TESTS = ["equals", "one_of", "matches"] as const;
