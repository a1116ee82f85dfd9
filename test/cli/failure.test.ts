import { describe, expect, test, vi } from "vitest";
import { MusterApiError, PeerError } from "../../src/client/index.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { eventLine } from "../../src/cli/event-line.ts";
import { describeError } from "../../src/cli/failure.ts";
import { CLOSE, ERROR_CODES } from "../../src/protocol/errors.ts";
import { entriesOf } from "../../src/protocol/troubleshooting.ts";
import { TROUBLESHOOTING } from "../../src/protocol/troubleshooting-text.ts";

describe("the text of an error", () => {
  test.each(["revoked", "not_allowed", "join_key_invalid"] as const)(
    "names the code %s of a peer's error once",
    (code) => {
      const error = new PeerError(code, `the mesh refuses (${code}: the reason of the mesh)`);
      const { text } = describeError(error);
      expect(text).toMatch(new RegExp(`^${code}: the mesh refuses \\(the reason of the mesh\\)`));
      expect(text.split(code)).toHaveLength(2);
    },
  );
});

describe("CL95 a mesh that does not answer", () => {
  const unreachable = (code?: string) => {
    const cause = Object.assign(new Error("fetch failed"), { cause: { code } });
    return describeError(new MusterApiError("unreachable", 0, "URL does not answer", { cause }));
  };

  test.each([
    ["ECONNREFUSED", "check that the mesh is running"],
    ["ENOTFOUND", "the host name does not exist"],
    ["EAI_AGAIN", "the name server does not answer"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "NODE_EXTRA_CA_CERTS"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "a mesh with TLS"],
  ])("is told with the code %s and what to do", (code, hint) => {
    const { text, exitCode } = unreachable(code);
    expect(text).toContain(`unreachable: URL does not answer (${code}); `);
    expect(text).toContain(hint);
    expect(exitCode).toBe(3);
  });

  test("is told without a code where the runtime has none", () => {
    expect(unreachable().text).toMatch(/^unreachable: URL does not answer; check that the mesh/);
  });
});

describe("an error after which a call may be repeated", () => {
  test.each([
    ["cell 1 does not answer; try again", {}, "cell 1 does not answer; try again in 2 s"],
    [
      "cell 1 does not answer; try again",
      { taskId: "T" },
      "cell 1 does not answer (task T); try again in 2 s",
    ],
    ["the queue is full", {}, "the queue is full; try again in 2 s"],
    ["try again and again", {}, "try again and again; try again in 2 s"],
  ])("says once to try again: %s %o", (detail, more, text) => {
    const error = new MusterApiError("unavailable", 503, detail, { retryAfter: 2, ...more });
    expect(describeError(error).text).toBe(`unavailable: ${text}`);
  });

  test("has its text if it does not say when", () => {
    const error = new MusterApiError("unavailable", 503, "no answer; try again");
    expect(describeError(error).text).toBe("unavailable: no answer; try again");
  });
});

describe("HT53 the CLI says where to read more", () => {
  test.each(ERROR_CODES)("about the code of a mesh's answer: %s", (code) => {
    const { details } = describeError(new MusterApiError(code, 400, "what happened"));
    expect(details).toEqual([`  \`npx muster help ${code}\` explains it`]);
  });

  test("not about a code that a server invented", () => {
    expect(describeError(new MusterApiError("zebra", 400, "what happened")).details).toEqual([]);
  });

  test.each(Object.values(CLOSE))("about the close code of a session: %i", (code) => {
    const end = { type: "disconnected", code, retryInMs: 10 } as const;
    expect(eventLine({ ...end, reason: "" })).toMatch(
      new RegExp(`; \`npx muster help ${code}\` explains it$`),
    );
    expect(eventLine({ ...end, reason: "rate_limited: too many" })).toMatch(
      /; `npx muster help rate_limited` explains it$/,
    );
  });

  test("and `muster help` prints every entry, none of which has the name of a command", async () => {
    let text = "";
    vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
    for (const { id, text: entry } of entriesOf(TROUBLESHOOTING)) {
      expect(Object.hasOwn(COMMANDS, id)).toBe(false);
      text = "";
      await COMMANDS["help"]?.run([id]);
      expect(text).toBe(`${entry}\n`);
    }
    vi.restoreAllMocks();
  });
});
