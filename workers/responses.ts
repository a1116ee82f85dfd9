import type { z } from "@hono/zod-openapi";
import { ProblemView } from "../src/protocol/http.ts";

/** Parts that the routes' descriptions share. */
const problemBody = { content: { "application/problem+json": { schema: ProblemView } } };

type Described = { readonly description: string } & typeof problemBody;
const answers = (description: string): Described => ({ description, ...problemBody });

/** What any route may answer. */
const ALWAYS = {
  400: answers("The request is not valid"),
  401: answers("No valid bearer token"),
  429: answers("Too much at once; see Retry-After"),
  503: answers("The coordinator does not answer; try again"),
};
const NOT_FOUND = { 404: answers("There is no such thing") };

export const jsonOf = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

export const failures = ALWAYS;
export const failuresOfOne = { ...ALWAYS, ...NOT_FOUND };
export const conflict = { 409: answers("The state does not allow this") };
export const unconfirmed = {
  504: answers("Done, but a live session did not confirm its end; it is being repeated"),
};

/** A JSON body that must be there. */
export const bodyOf = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});

export const security = [{ bearer: [] }];
