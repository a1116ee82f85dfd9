import { exports } from "cloudflare:workers";
import { concat, toBase64, utf8, type Bytes } from "../../src/base/bytes.ts";
import type { Fetch } from "../../src/client/http/api.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";

/** A request or a response that passes the gateway. */
export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Bytes;
}

/** What the gateway does with what it sees: null lets it pass unchanged. */
export interface Attack {
  readonly request?: (seen: Passing) => Partial<Passing> | Response | null;
  readonly response?: (seen: Passing) => Partial<Passing> | null;
}

/** Ends TLS in front of the mesh: it reads every HTTP body in both directions, and changes what the attack says. */
export class HostileGateway {
  attack: Attack = {};
  /** Everything that it has read: URLs, headers, bodies. */
  readonly read: Bytes[] = [];

  readonly fetch: Fetch = async (url, init) => {
    const { method = "GET" } = init;
    const { pathname: path } = new URL(url);
    const sent: Passing = {
      method,
      path,
      status: 0,
      headers: new Headers(init.headers),
      body: new Uint8Array(await new Response(init.body).arrayBuffer()),
    };
    this.#note(url, sent);
    const changed = this.attack.request?.(sent) ?? {};
    if (changed instanceof Response) return changed;
    const { headers, body } = { ...sent, ...changed };
    const answer = await exports.default.fetch(
      new Request(url, { method, headers, ...(body.length > 0 && { body }) }),
    );
    const got: Passing = {
      method,
      path,
      status: answer.status,
      headers: new Headers(answer.headers),
      body: new Uint8Array(await answer.arrayBuffer()),
    };
    this.#note(url, got);
    const given = { ...got, ...this.attack.response?.(got) };
    const isEmpty = given.status === 204 || given.status === 304;
    return new Response(isEmpty ? null : given.body, given);
  };

  /** Whether it has read this text somewhere. */
  hasRead(text: string): boolean {
    const latin1 = new TextDecoder("latin1");
    return this.read.some((bytes) => latin1.decode(bytes).includes(text));
  }

  #note(url: string, { headers, body }: Passing): void {
    this.read.push(concat(utf8(JSON.stringify([url, ...headers])), body));
  }
}

/** Another body, with the digest that belongs to it. */
export function withBody({ headers }: Passing, text: string): Partial<Passing> {
  const body = utf8(text);
  const changed = new Headers(headers);
  changed.set("content-digest", contentDigest(toBase64(sha256(body))));
  return { body, headers: changed };
}
