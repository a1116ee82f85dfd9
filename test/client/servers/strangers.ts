/** Servers that are no mesh, or none that a peer can use. They listen on 127.0.0.1. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";
import { CERTIFICATE, CERTIFICATE_KEY } from "../../server/outbound/certificate.ts";

export interface Stranger {
  readonly url: string;
  /** Resolves once somebody has connected. */
  readonly connected: Promise<void>;
  stop(): void;
}

/** Listens, and ends its connections when it stops. */
async function listening(server: Server, scheme = "http"): Promise<Stranger> {
  const sockets = new Set<Socket>();
  const { promise: connected, resolve: connects } = Promise.withResolvers<void>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    connects();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    connected,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const http = (answer: RequestListener): Promise<Stranger> => listening(createHttpServer(answer));
const json =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(typeof body === "string" ? body : JSON.stringify(body));

/** A port that nobody listens on. */
async function refused(): Promise<Stranger> {
  const stranger = await listening(createTcpServer());
  stranger.stop();
  return stranger;
}

const PROBLEM = { type: "t", title: "t", status: 503, code: "unavailable", detail: "it starts" };
const MESH = { name: "m", public_key: "ab".repeat(32), protocols: ["muster/9"] };

/** What a peer is told of each, and the servers. `URL` stands for the URL. */
export const STRANGERS: Readonly<
  Record<string, { readonly start: () => Promise<Stranger>; readonly failure: object }>
> = {
  "a port that nobody listens on": {
    start: refused,
    failure: {
      code: "unreachable",
      message: "cannot reach URL (ECONNREFUSED)",
      systemCode: "ECONNREFUSED",
    },
  },
  "a host that does not exist": {
    start: () =>
      Promise.resolve({
        url: "http://no-such-host.invalid",
        connected: new Promise(() => {}),
        stop: () => {},
      }),
    failure: {
      code: "unreachable",
      message: /^cannot reach URL \((?:ENOTFOUND|EAI_AGAIN)\)$/,
      systemCode: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    },
  },
  "a server that takes connections and says nothing": {
    start: () => listening(createTcpServer(() => {})),
    failure: { code: "no_answer", message: "URL did not answer within 5 s" },
  },
  "a server that closes each connection": {
    start: () => listening(createTcpServer((socket) => socket.end())),
    failure: {
      code: "unreachable",
      message: /^cannot reach URL \((?:UND_ERR_SOCKET|ECONNRESET)\)$/,
    },
  },
  "a server of another protocol": {
    start: () => listening(createTcpServer((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"))),
    failure: {
      code: "not_a_mesh",
      message: "URL is no Muster mesh: the server does not speak HTTP",
    },
  },
  "a web page": {
    start: () =>
      http((_request, response) =>
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<p>hello"),
      ),
    failure: {
      code: "not_a_mesh",
      message: "URL is no Muster mesh (HTTP 200, text/html)",
      status: 200,
    },
  },
  "another API": {
    start: () => http(json(404, { error: "no such path" })),
    failure: {
      code: "not_a_mesh",
      message: "URL is no Muster mesh (HTTP 404, application/json)",
      status: 404,
    },
  },
  "an API that answers every path": {
    start: () => http(json(200, { ok: true })),
    failure: {
      code: "not_a_mesh",
      message: "URL is no Muster mesh (HTTP 200, application/json)",
      status: 200,
    },
  },
  "a server that redirects": {
    start: () =>
      http((_request, response) =>
        response.writeHead(301, { location: "https://user:pw@mesh.example/new?token=1" }).end(),
      ),
    failure: {
      code: "redirected",
      message: "URL redirects to https://mesh.example/new; use the URL of the mesh itself",
      status: 301,
    },
  },
  "a proxy without its mesh": {
    start: () => http((_request, response) => response.writeHead(502).end("<h1>Bad Gateway</h1>")),
    failure: {
      code: "mesh_unavailable",
      message: "URL answers HTTP 502: the mesh behind the server is not available",
      status: 502,
    },
  },
  "a mesh that serves nobody": {
    start: () => http(json(503, PROBLEM)),
    failure: {
      code: "mesh_unavailable",
      message: "URL answers unavailable: it starts",
      status: 503,
    },
  },
  "a server with a certificate of its own": {
    start: () =>
      listening(
        createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, json(200, MESH)),
        "https",
      ),
    failure: {
      code: "tls_failed",
      message:
        "cannot reach URL: the TLS of the server is not trusted or not valid (DEPTH_ZERO_SELF_SIGNED_CERT)",
      systemCode: "DEPTH_ZERO_SELF_SIGNED_CERT",
    },
  },
  "https where the server speaks http": {
    start: async () => {
      const stranger = await http(json(200, MESH));
      return { ...stranger, url: stranger.url.replace("http:", "https:") };
    },
    failure: { code: "tls_failed", message: /^cannot reach URL: the TLS of the server .*\(\w+\)$/ },
  },
};

/** A mesh of which a peer that pins no key learns its protocols. */
export const OTHER_VERSION = {
  start: () => http(json(200, MESH)),
  failure: {
    code: "version_unsupported",
    message: "the mesh at URL does not speak muster/2; it speaks muster/9",
  },
};

/** What a peer is told, with `URL` in place of the URL. */
export const withoutUrl = (text: string, url: string): string =>
  text.replaceAll(`${url}/`, "URL").replaceAll(url, "URL");

/** A message that equals the text or matches the pattern. */
export const isMessage = (expected: string | RegExp, message: string): boolean =>
  typeof expected === "string" ? message === expected : expected.test(message);
