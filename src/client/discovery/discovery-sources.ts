import { concat, type Bytes } from "../../base/bytes.ts";
import { BLOB_BYTES_MAX } from "../../protocol/constants.ts";
import { PointerList, PointerView } from "../../protocol/http.ts";
import { Api, type ApiRequest, type Fetch } from "../http/api.ts";
import { MusterApiError } from "../errors.ts";

type Query = NonNullable<ApiRequest["query"]>;

/** The places where a mesh's discovery can be read: the mesh itself, replicas. Any will do, so they are asked in turn. */
export class DiscoverySources {
  readonly #urls: readonly string[];
  readonly #token: () => Promise<string>;
  readonly #fetch: Fetch;

  constructor(urls: readonly string[], token: () => Promise<string>, fetch: Fetch) {
    this.#urls = urls;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** A page; `check` throws when it is from a copy that can't be taken. */
  list(query: Query, check: (list: PointerList) => Promise<void>): Promise<PointerList> {
    return this.#first(async (api, idempotent) => {
      const list = await api.json(PointerList, { path: "v1/pointers", query, idempotent });
      await check(list);
      return list;
    });
  }

  pointer(id: string): Promise<PointerView | null> {
    return this.#first((api, idempotent) =>
      orNull(api.json(PointerView, { path: `v1/pointers/${encodeURIComponent(id)}`, idempotent })),
    );
  }

  blob(id: string): Promise<Bytes | null> {
    return this.#first((api, idempotent) => orNull(fetchBlob(api, id, idempotent)));
  }

  /**
   * What the first edge says that says something; the last one's null or error when none does. Only the last is asked
   * again and again: before that the next one is quicker.
   */
  async #first<T>(ask: (api: Api, idempotent: boolean) => Promise<T>): Promise<T> {
    const token = await this.#token();
    const last = this.#urls.length - 1;
    for (const [index, url] of this.#urls.entries()) {
      const api = new Api({ url, token, fetch: this.#fetch, random: Math.random });
      try {
        const answer = await ask(api, index === last);
        if (answer !== null || index === last) return answer;
      } catch (error) {
        if (index === last) throw error;
      }
    }
    throw new Error("no edge was asked"); // there is always a last one
  }
}

/** A copy could send anything: no more is read than a record can have. */
async function fetchBlob(api: Api, id: string, idempotent: boolean): Promise<Bytes> {
  const response = await api.response({
    path: `v1/blobs/${encodeURIComponent(id)}`,
    headers: { accept: "application/octet-stream" },
    idempotent,
  });
  const chunks: Bytes[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > BLOB_BYTES_MAX)
      throw new MusterApiError("invalid_response", response.status, "a blob of too many bytes");
    chunks.push(chunk);
  }
  return concat(...chunks);
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MusterApiError && error.status === 404) return null;
    throw error;
  }
}
