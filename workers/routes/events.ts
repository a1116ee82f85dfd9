import { z } from "@hono/zod-openapi";
import type { EventFilter } from "../../src/contract/events.ts";
import { PAGE_DEFAULT } from "../../src/protocol/constants.ts";
import { EventPage, EventPosition, EventQuery } from "../../src/protocol/http.ts";
import type { AppContext } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { mergedEventStream } from "../merged-event-stream.ts";
import { forward, visibleTo } from "../forward.ts";
import { problem } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const STREAM_TYPE = "text/event-stream";

const { define } = routesTagged("mesh", {});

const readEvents = define("read_work", "get", "/v1/events", {
  operationId: "readEvents",
  summary:
    "Follow what changes in the mesh: as server-sent events with `Accept: text/event-stream`, else a page of the log (docs/events.md)",
  request: {
    query: EventQuery,
    headers: z.object({
      "last-event-id": EventPosition.optional().meta({
        description: "Where the client that opens a stream again was; it comes before `after`",
      }),
    }),
  },
  responses: {
    200: {
      description: "A page of events, or a stream of them",
      content: {
        ...jsonOf(EventPage, "").content,
        [STREAM_TYPE]: {
          schema: z.string().meta({
            description:
              "Each event has its position as `id`, its type as `event` and an Event as `data`. `event: gap` has an EventGap; `event: end` is the last one",
          }),
        },
      },
    },
  },
  failures: ["too_many_streams", "storage_full"],
});

export function eventRoutes(router: Router): void {
  router.route(readEvents, async (c) => {
    const query = c.req.valid("query");
    const { after = null, limit } = query;
    const filter = filterOf(c, query);
    const { "last-event-id": lastEventId = after } = c.req.valid("header");
    if (!wantsStream(c))
      return forward(c, "list_events", {
        filter,
        after: lastEventId,
        limit: limit ?? PAGE_DEFAULT,
      });
    if (limit !== undefined) return problem(c, NO_LIMIT);
    const headers = { "Content-Type": STREAM_TYPE, "X-Accel-Buffering": "no" };
    // HEAD opens no stream.
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    const asked = { filter, after: lastEventId, owner: c.var.caller.id };
    const opened = await c.var.coordinator.openStream(asked);
    if (!opened.ok) return problem(c, opened.error);
    const { value } = opened;
    return c.body("sockets" in value ? mergedEventStream(value) : eventStream(value), 200, headers);
  });
}

const NO_LIMIT = {
  code: "invalid_request",
  detail:
    "a stream has no limit; leave out `limit`, or ask for a page with Accept: application/json",
} as const;

/** Whether the client asks for a stream. Whoever accepts anything gets a page, which ends. */
const wantsStream = (c: AppContext): boolean =>
  (c.req.header("Accept") ?? "")
    .split(",")
    .some((type) => type.split(";")[0]?.trim().toLowerCase() === STREAM_TYPE);

const filterOf = (c: AppContext, { type, kind, owner, peer, task }: EventQuery): EventFilter => ({
  types: type?.split(",") ?? [],
  kind: kind ?? null,
  owner: owner ?? null,
  peer: peer ?? null,
  tasks: task?.toLowerCase().split(",") ?? [],
  visibleTo: visibleTo(c),
});
