import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { connectPeer, type ConnectFailure, type PeerEvent } from "../../src/client/index.ts";
import { failureOfAnswer, failureOfError } from "../../src/client/connection/connect-failure.ts";
import {
  isMessage,
  OTHER_VERSION,
  STRANGERS,
  withoutUrl,
  type Stranger,
} from "./servers/strangers.ts";

const PINNED = "1bf6ee4f2e1ae2a6ab4ab5fd5fb0a9e03ad6e8ed31fd9dd9e5a3a15d7ad5f541";

let stop = (): void => {};
afterEach(() => stop());

const SILENT = "a server that takes connections and says nothing";

/**
 * What ends requests without an answer. The tests set it off, not the clock: else a process that gets no processor for some seconds would
 * find the deadline over before it has read an answer that has arrived.
 */
let deadline: AbortController;
const deadlines: number[] = [];
beforeEach(() => {
  deadline = new AbortController();
  deadlines.length = 0;
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    deadlines.push(ms);
    return deadline.signal;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The failure of the first dial. */
async function failureAt(
  { url, connected }: Pick<Stranger, "url" | "connected">,
  { isSilent = false, meshKey }: { readonly isSilent?: boolean; readonly meshKey?: string } = {},
): Promise<ConnectFailure | undefined> {
  const { promise, resolve } = Promise.withResolvers<ConnectFailure | undefined>();
  const onEvent = (event: PeerEvent): void => {
    if (event.type === "disconnected") resolve(event.failure);
    if (event.type === "disconnected" && event.failure !== undefined)
      expect(event.reason).not.toBe("");
  };
  const peer = connectPeer({ url, onEvent, ...(meshKey !== undefined && { meshKey }) });
  peer.ready.catch(() => {});
  onTestFinished(() => void peer.close());
  if (isSilent) {
    await connected;
    expect(deadlines).toEqual([5_000]);
    deadline.abort(new DOMException("the time is over", "TimeoutError"));
  }
  return promise;
}

function expectFailure(
  failure: ConnectFailure | undefined,
  url: string,
  expected: { readonly message?: string | RegExp },
): void {
  const { message = "", ...facts } = expected;
  for (const [name, value] of Object.entries(facts))
    expect(String(failure?.[name as keyof ConnectFailure])).toMatch(
      value instanceof RegExp ? value : new RegExp(`^${String(value)}$`),
    );
  const text = withoutUrl(failure?.message ?? "", url);
  expect(isMessage(message, text), text).toBe(true);
}

describe("CL58 a peer is told why it can't connect", () => {
  test.each(Object.entries(STRANGERS))("%s", async (name, { start, failure }) => {
    const server = await start();
    stop = () => server.stop();
    const isSilent = name === SILENT;
    expectFailure(await failureAt(server, { isSilent }), server.url, failure);
  });

  test.each(Object.entries(STRANGERS).filter(([name]) => name !== SILENT))(
    "also with a pinned key: %s",
    async (_, { start, failure }) => {
      const server = await start();
      stop = () => server.stop();
      expectFailure(await failureAt(server, { meshKey: PINNED }), server.url, failure);
    },
  );

  test("a mesh of another version", async () => {
    const server = await OTHER_VERSION.start();
    stop = () => server.stop();
    expectFailure(await failureAt(server), server.url, OTHER_VERSION.failure);
  });
});

describe("CL58 a browser", () => {
  test("does not know why a request failed, and the failure has its code", () => {
    expect(failureOfError("https://mesh.test/", new TypeError("Failed to fetch"), 5_000)).toEqual({
      code: "unreachable",
      message: "cannot reach https://mesh.test/",
    });
  });

  test("hides where a redirect leads", () => {
    const response = { status: 0, type: "opaqueredirect", headers: new Headers() } as never;
    expect(failureOfAnswer({ url: "https://mesh.test/", response, body: undefined })).toEqual({
      code: "redirected",
      message: "https://mesh.test/ redirects; use the URL of the mesh itself",
      status: 0,
    });
  });
});
