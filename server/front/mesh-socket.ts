import { Agent, type ClientRequestArgs } from "node:http";
import { Socket, type TcpSocketConnectOpts } from "node:net";

type Written = (error?: Error | null) => void;

/**
 * A connection on which a failed write does not hide the answer. A server may refuse a request before its body has come, and close:
 * the next write then fails, and a plain socket ends with the answer unread. This one waits at that write, and reads on until the
 * answer or the end of the connection.
 */
class MeshSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, ifWritten(written));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], written: Written): void {
    super._writev?.(chunks, ifWritten(written));
  }
}

const ifWritten =
  (written: Written): Written =>
  (error) => {
    if (error === undefined || error === null) written();
  };

/** Keeps connections open, as long as the mesh took all that was written to them. */
export class MeshAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Socket {
    return new MeshSocket().connect(options as TcpSocketConnectOpts);
  }
}
