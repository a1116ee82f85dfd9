import type { AuthMode, PeerView } from "../../../src/protocol/http.ts";
import { mayAdminister, mayRead, mayWork } from "../api/session.ts";
import { useQuery } from "../live/use-query.ts";
import { line, shortId } from "../model/format.ts";
import { hashOf } from "../model/route.ts";
import { CopiedText } from "../ui/copied-text.tsx";
import { NewJoinKey } from "./access/new-join-key.tsx";
import { useData } from "./data.ts";

const PAUSE_MS = 5_000;
/** What the worker of the command does with this payload: it counts 7 bytes, because a payload is JSON. */
const FIRST_TASK = { kind: "count", payload: '"hello"' };

/** What to do with a mesh that has done no task yet: let a peer in, wait for it, give it a task. */
export const FirstMinute = ({ peers }: { readonly peers: readonly PeerView[] }) => {
  const { caller } = useData().session;
  const worker = peers.find(({ connected, slots }) => connected && slots > 0);
  return (
    <ol class="first">
      <li>
        <p>
          <strong>Start a worker</strong> on any machine with Node.
        </p>
        {worker === undefined && <JoinCommand />}
      </li>
      <li>
        {worker === undefined ? (
          <p class="waiting" role="status">
            Waiting for the first peer
          </p>
        ) : (
          <p role="status">
            <strong>{worker.name === "" ? shortId(worker.id) : line(worker.name)}</strong> has
            joined.
          </p>
        )}
      </li>
      {mayWork(caller) && (
        <li>
          <p>
            <strong>Give it a task.</strong>
          </p>
          <p>
            <a class="button primary" href={hashOf(["submit"], FIRST_TASK)}>
              Submit a first task
            </a>
          </p>
        </li>
      )}
    </ol>
  );
};

/** How a worker joins: an open mesh needs no key, a closed one a join key. */
const JoinCommand = () => {
  const { mesh, caller } = useData().session;
  const mode = useQuery<{ readonly mode: AuthMode }>(
    mayRead(caller) ? "/v1/auth-mode" : null,
    {},
    PAUSE_MS,
  ).value?.mode;
  if (mode === "open")
    return (
      <CopiedText
        label="the command"
        text={`npx muster-mesh join ${location.origin} --mesh-key ${mesh.public_key} --exec 'wc -c'`}
      />
    );
  if (mode === "allowlist" && mayAdminister(caller))
    return (
      <>
        <p class="quiet">This mesh admits listed keys. A join key lets new ones in:</p>
        <NewJoinKey command="wc -c" onDone={() => {}} />
      </>
    );
  return <p class="quiet">An administrator has the command by which a peer may join.</p>;
};
