import type { z } from "@hono/zod-openapi";
import { ProblemView } from "../src/protocol/http.ts";

/** Parts that the routes' descriptions share. */
const problemBody = { content: { "application/problem+json": { schema: ProblemView } } };

type Described = { readonly description: string } & typeof problemBody;
const answers = (description: string): Described => ({ description, ...problemBody });

/** What any route may answer. */
export const failuresOfMesh = {
  500: answers("The mesh is not configured, or has a defect"),
};
const ALWAYS = {
  ...failuresOfMesh,
  400: answers("The request is not valid"),
  503: answers("A part of the mesh does not answer; see Retry-After"),
};
const NOT_FOUND = { 404: answers("There is no such thing") };
const TOO_LARGE = { 413: answers("The body is too large") };

export const jsonOf = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** What any route behind `authorised` may answer. */
export const failures = {
  ...ALWAYS,
  401: answers("No valid bearer token"),
  403: answers("The token's scope does not allow this"),
};
export const failuresOfOne = { ...failures, ...NOT_FOUND };
export const failuresOfBody = {
  ...failures,
  ...TOO_LARGE,
  415: answers("The body is not announced as JSON"),
};
const QUEUE_FULL = { 429: answers("Too many tasks are waiting; see Retry-After") };
export const failuresOfTask = {
  ...failuresOfBody,
  ...QUEUE_FULL,
  422: answers("The idempotency key was used for another request"),
};
export const failuresOfDelivery = {
  ...ALWAYS,
  ...NOT_FOUND,
  ...TOO_LARGE,
  ...QUEUE_FULL,
  401: answers("The signature is missing, wrong or stale"),
  422: answers("The event can't become a task"),
};
export const failuresOfReplay = {
  ...failuresOfOne,
  ...TOO_LARGE,
  ...QUEUE_FULL,
  422: answers("The event can't become a task"),
};
export const failuresOfConnect = {
  ...failuresOfMesh,
  400: answers("A WebSocket subprotocol that is not spoken here"),
  401: answers("The proof does not hold, or the clocks differ too much"),
  409: answers("The mesh does not have the key that is asked for"),
  426: answers("This path speaks WebSocket"),
  429: answers("Too many handshakes; see Retry-After"),
  503: ALWAYS[503],
};
export const notFound = NOT_FOUND;
export const tooLarge = { ...TOO_LARGE, 415: answers("Not the media type that is wanted here") };
export const timedOut = { 504: answers("The peer did not answer in time") };
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
