import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { parseJson } from "../src/base/json.ts";

export interface MeshAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface MeshQuestion {
  readonly method?: string;
  readonly path: string;
  /** The admin token. */
  readonly token?: string;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** Sends a request to the mesh behind its Unix socket. Rejects if there is no answer. */
export async function askMesh(socketPath: string, question: MeshQuestion): Promise<MeshAnswer> {
  const { method = "GET", path, token, json, signal } = question;
  const request = httpRequest({
    socketPath,
    method,
    path,
    agent: false,
    headers: {
      host: "localhost",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
    },
    ...(signal !== undefined && { signal }),
  });
  request.end(json === undefined ? undefined : JSON.stringify(json));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: parseJson(await text(response)) };
}

const Problem = z.object({ detail: z.string() });

/** The reason that the mesh states in an answer that is an error. */
export const reasonOf = ({ status, body }: MeshAnswer): string =>
  Problem.safeParse(body).data?.detail ?? `status ${status}`;
