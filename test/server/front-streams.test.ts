import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startFront } from "../../server/front/front.ts";

/** A front whose mesh begins to stream an answer to each request. */
async function streamingFront() {
  const streams: ServerResponse[] = [];
  const mesh = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("id: 1\n\n");
    streams.push(response);
  });
  const dir = await mkdtemp(join(tmpdir(), "muster-front-"));
  const socketPath = join(dir, "mesh.sock");
  await once(mesh.listen(socketPath), "listening");
  const front = await startFront({ host: "127.0.0.1", port: 0, mesh: socketPath });
  onTestFinished(async () => {
    front.stop();
    mesh.close();
    mesh.closeAllConnections();
    await rm(dir, { recursive: true, force: true });
  });
  return { streams, port: front.port };
}

test("HT86 a stream is passed on as it comes, and its client's end is the mesh's, too", async () => {
  const { streams, port } = await streamingFront();
  const sent = request({ host: "127.0.0.1", port, path: "/stream" }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const [first] = (await once(answer, "data")) as [Buffer];
  expect(String(first)).toBe("id: 1\n\n");
  answer.on("error", () => {});
  const stream = streams[0] as ServerResponse;
  for (const block of ["id: 2\n\n", ": heartbeat\n\n"]) {
    const next = once(answer, "data");
    stream.write(block);
    expect(String((await next)[0])).toBe(block);
  }
  const closed = once(stream, "close");
  answer.destroy();
  await closed;
});
