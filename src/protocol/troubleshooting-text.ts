/** Made of docs/troubleshooting.md by test/troubleshooting.test.ts, which says how to renew it. */
/* oxlint-disable max-lines */
export const TROUBLESHOOTING = `# Troubleshooting

Every code and message by which Muster tells that something is wrong: what it means, and what to do. Look for the text that you have; \`…\` stands for what differs.

- A running mesh serves this page at \`/troubleshooting\`, and one entry at \`/troubleshooting/CODE\`, without a token: \`curl MESH_URL/troubleshooting/revoked\`. So does a discovery replica.
- \`muster help CODE\` prints an entry without a network.
- The \`type\` of an error document is that path.

A go-p2p error is shown with its number in generation 1 of go-p2p. A node of generation 2 shows 0 for 1000 and 1001, 6 for 1002, 1 for 1003, and 4 for 1004 and 1005.

For a message instead of a code, use its words in lower case with hyphens between them: \`muster help port-is-in-use\`.

## Requests over HTTP

The answer is a problem document whose \`type\` leads to its entry: \`curl MESH_URL/troubleshooting/CODE\`.

### \`invalid_request\`

"The request is invalid". HTTP 400, close code 4400, go-p2p error 1001.

- Cause: The body, a query parameter or a header does not have the form that the route wants. \`issues\` names each field and what is wrong with it.
- Remedy: Correct the named fields; \`GET /openapi.json\` has the schema of every route.

### \`unauthorized\`

"A valid bearer token is required". HTTP 401, close code 4403, go-p2p error 1002.

- Cause: The request has no bearer token, or one that the mesh does not know, that was revoked, or that has expired.
- Remedy: Send \`Authorization: Bearer TOKEN\`. With the CLI: \`--token-file FILE\` or \`MUSTER_TOKEN\`. An administrator makes a token with \`muster token create SCOPE\`.

### \`forbidden\`

"The token does not allow this". HTTP 403, close code 4403, go-p2p error 1002.

- Cause: The token is valid, and its scope does not allow this.
- Remedy: Use a token of the scope that \`docs/http.md\` names for the route. \`muster token list\` shows the scopes.

### \`not_found\`

"The resource does not exist". HTTP 404, close code 4400, go-p2p error 1003.

- Cause: The path does not exist, or nothing with this ID, or it belongs to another owner.
- Remedy: Check the path against \`GET /openapi.json\` and the ID against a list (\`muster tasks\`, \`muster peers\`). Ended tasks are removed after 30 days.

### \`method_not_allowed\`

"The path does not support this method". HTTP 405, close code 4400, go-p2p error 1001.

- Cause: The path exists, but not with this method.
- Remedy: Use a method of the answer's \`Allow\` header. Among the refused deliveries of a webhook: its sender must use POST; some check the address by GET first, and a browser that opens it sends GET, too.

### \`upgrade_required\`

"This path requires a WebSocket upgrade". HTTP 426, close code 4400, go-p2p error 1001.

- Cause: A WebSocket path was called by a plain request.
- Remedy: Connect with a WebSocket client, or with \`muster join\`. A reverse proxy must pass \`Upgrade\` and \`Connection\` on.

### \`payload_too_large\`

"The body is too large". HTTP 413, close code 4400, go-p2p error 1001.

- Cause: The body is larger than the limit of the path, or of the webhook source, which \`detail\` names. Of a request to one peer, or of a task that a peer submits over its session: larger than the frames of that peer (\`max_frame\` in its hello, \`maxFrame\` of the SDK).
- Remedy: Of a webhook source: raise its \`max_body_bytes\`, up to 25 MiB. Of a peer with small frames: submit a task over HTTP. Else send less: put large inputs elsewhere and send a URL. Results above 1 MiB are uploaded by the SDK by itself.

### \`request_timeout\`

"The body did not arrive in time". HTTP 408, close code 4408, go-p2p error 1005.

- Cause: The body of a webhook delivery took longer than 60 s.
- Remedy: Nothing if the sender repeats it. If it happens again and again, look for a slow proxy between the sender and the mesh.

### \`unsupported_media_type\`

"The body must be JSON". HTTP 415, close code 4400, go-p2p error 1001.

- Cause: The body is not declared as JSON.
- Remedy: Send the header \`Content-Type: application/json\`.

### \`conflict\`

"The current state does not allow this". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The current state does not allow this: \`detail\` says which limit or state.
- Remedy: Read the resource again and do what \`detail\` says. A limit of entries means: remove some first.

### \`lease_lost\`

"The attempt no longer holds the task's lease". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The peer reports an attempt that has ended: its lease expired, or another peer has the task.
- Remedy: Stop the work on it; the mesh has given the task on. If it happens often, the handler blocks the event loop (\`loop_blocked\`) or the peer loses its connection.

### \`task_ended\`

"The task has already ended". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The task has succeeded, failed, expired or was cancelled already.
- Remedy: Look at it with \`muster task ID\`. A task that failed can be queued again with \`muster task ID --retry\`; after success submit a new one.

### \`idempotency_mismatch\`

"The idempotency key was used with a different request". HTTP 422, close code 4400, go-p2p error 1004.

- Cause: The \`Idempotency-Key\` was used for another request.
- Remedy: Use a new key for a different task, or repeat the first request unchanged.

### \`queue_full\`

"The queue is full". HTTP 429, close code 4429, go-p2p error 1004.

- Cause: The mesh holds as many queued tasks as it can.
- Remedy: Try again after \`retry_after\` seconds. \`muster tasks stats\` shows whose tasks wait and for what; connect more peers or cancel tasks (\`muster tasks cancel\`).

### \`owner_queue_full\`

"The owner has too many queued tasks". HTTP 429, close code 4429, go-p2p error 1004.

- Cause: This owner (token, peer or webhook source) has as many queued tasks as it may.
- Remedy: Try again after \`retry_after\` seconds. An administrator raises the limit with \`muster token set ID --max-waiting N\` or \`muster allow KEY --max-waiting N\`.

### \`owner_bytes_full\`

"The owner's tasks have too many bytes". HTTP 429, close code 4429, go-p2p error 1004.

- Cause: The tasks of this owner that have not ended have as many bytes as they may.
- Remedy: Wait until some end, send smaller payloads, or have \`--max-bytes\` of the token or the key raised.

### \`storage_full\`

"The mesh's database is nearly full". HTTP 507, close code 4429, go-p2p error 1004.

- Cause: The database of the mesh is above 90 % of \`STORAGE_LIMIT_MB\`, or the disk of a self-hosted mesh is full; \`detail\` says which.
- Remedy: \`muster mesh\` shows how full the database is. Cancel tasks that wait (\`muster tasks cancel\`), or lower \`max_bytes\` of those who submit them. On a full disk free space: the mesh goes on by itself, and nothing that it acknowledged is lost.

### \`payload_dropped\`

"The task's payload is not stored any more". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The payload of an ended task is kept for \`TASK_PAYLOAD_RETENTION_HOURS\` only, so it cannot be retried.
- Remedy: Submit the task again with its payload.

### \`peer_unavailable\`

"The peer is not connected". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The request needs a peer that is not connected.
- Remedy: \`muster peers\` shows who is. Start the peer, or ask another one.

### \`peer_timeout\`

"The peer did not answer in time". HTTP 504, close code 4408, go-p2p error 1005.

- Cause: The peer is connected and did not answer the request in time.
- Remedy: Try again with a longer timeout; look at the peer's own log.

### \`revoke_unconfirmed\`

"Revoked, but a session or a cell of the mesh has not confirmed it yet". HTTP 504, close code 4503, go-p2p error 1005.

- Cause: The revocation or the drain is committed, but a session has not confirmed that it closed, or a cell of a mesh of several cells has not confirmed that it has the change.
- Remedy: The mesh repeats it. Repeat the request to wait for the confirmation; until it comes, the session can go on, and the cell can act as before.

### \`clock_skew\`

"The caller's clock is wrong". HTTP 401, close code 4401, go-p2p error 1002.

- Cause: The time in the request or in the connection's proof differs from the mesh's by more than is allowed.
- Remedy: Set the clock of the machine (NTP). \`time\` in the answer is the mesh's time. The SDK corrects small differences by itself.

### \`mesh_key_unknown\`

"The mesh does not have this key". HTTP 409, close code 4401, go-p2p error 1002.

- Cause: The caller has pinned a mesh key that this mesh does not have: another mesh answers at the address, or its key was rotated.
- Remedy: Ask the operator for the present key (\`muster mesh\`), and pass it with \`--mesh-key\` only if the operator confirms it.

### \`unavailable\`

"The mesh is temporarily unavailable". HTTP 503, close code 4503, go-p2p error 1005.

- Cause: A part of the mesh does not answer: it restarts, is overloaded, or its storage fails.
- Remedy: Try again after \`retry_after\` seconds; the SDK does so by itself for requests that may be repeated. If it lasts, read the mesh's log.

### \`misconfigured\`

"The mesh is not configured correctly". HTTP 500, close code 4503, go-p2p error 1004.

- Cause: A variable or a secret of the deployment is missing or wrong; \`detail\` names it, never its value.
- Remedy: Set the variable as \`docs/configuration.md\` says, and deploy or start again. See "Configuration at start" on this page.

### \`internal\`

"Internal error". HTTP 500, close code 4503, go-p2p error 1000.

- Cause: A defect of the mesh.
- Remedy: Try again once. Report it with the log line of the mesh, which has the stack.

## Webhook deliveries

What a sender gets, and what \`muster webhook refused NAME\`, \`deliveries NAME\` and \`listen NAME\` show.

### \`signature_missing\`

"The delivery is not signed". HTTP 401, close code 4403, go-p2p error 1002.

- Cause: The delivery has none of the headers of the source's scheme.
- Remedy: Enter the secret at the sender. If it has one, compare the scheme and the header (\`muster webhook show NAME\`) with the headers that \`muster webhook refused NAME\` lists.

### \`signature_invalid\`

"The signature does not match". HTTP 401, close code 4403, go-p2p error 1002.

- Cause: No secret of the source made this signature, or something on the way changed the body. A plain-text secret of a \`standard-webhooks\` source was perhaps entered without encoding it in base64.
- Remedy: Use the same secret on both sides: \`muster webhook update NAME --secret-file FILE\` sets it here. A proxy must pass the body on unchanged. \`muster webhook test NAME FILE --raw --header 'HEADER: VALUE'\` checks a delivery.

### \`signature_stale\`

"The signed timestamp is too old or in the future". HTTP 401, close code 4403, go-p2p error 1002.

- Cause: The signed time differs from the mesh's time by more than 5 minutes.
- Remedy: Set the sender's clock; have it sign each attempt anew.

### \`event_unmapped\`

"The event does not fit the source's mapping". HTTP 422, close code 4400, go-p2p error 1001.

- Cause: The event does not fit the source's mapping: \`detail\` names what is wrong: a path that selects nothing, a value that is larger than a task may be or that some readers would change (such as \`1e400\`), or a body that is not JSON.
- Remedy: \`muster webhook update NAME\` with \`--default PATH=JSON\` gives the path a value, with \`--filter\` excludes such events, with \`--payload\` takes another path. Try it with \`muster webhook test NAME --delivery ID\`.

### \`too_many_sources\`

"The limit of webhook sources is reached". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The mesh has as many webhook sources as it can.
- Remedy: Remove one: \`muster webhook delete NAME\`.

### \`filtered\`

Outcome \`filtered\` in the list of deliveries, HTTP 202 with \`filtered\` for the sender.

- Cause: A filter of the source excluded the event.
- Remedy: \`muster webhook test NAME --delivery ID\` shows which filter, and what it found.

### \`duplicate\`

Outcome \`duplicate\`, HTTP 202 with \`duplicate: true\`.

- Cause: An earlier delivery with the same ID became a task.
- Remedy: Nothing is wrong. \`muster webhook replay NAME DELIVERY --new-task\` makes another task.

### \`ping\`

Outcome \`ping\` in the list of deliveries, HTTP 202 without a task.

- Cause: The sender checked the address, as GitHub does when a webhook is added.
- Remedy: Nothing is wrong: the address and the secret work.

### \`unmapped\`

Outcome \`unmapped\`, HTTP 422 \`event_unmapped\`.

- Cause: As \`event_unmapped\`.
- Remedy: As \`event_unmapped\`; then \`muster webhook replay NAME DELIVERY\`.

### \`refused\`

Outcome \`refused\` of a delivery, state \`refused\` of an attempt, rule \`refused\` of a choice.

- Cause: A delivery: the mesh could not accept the task (\`queue_full\`, \`storage_full\`). An attempt: the peer did not take the task, and its reason stands in \`error\`.
- Remedy: A delivery: the sender repeats it, or \`muster webhook replay NAME DELIVERY\`. An attempt: nothing, another peer gets the task; a peer that refuses all has too many \`slots\`.

## Sessions: handshake, messages, end

Close reasons begin with the code. \`muster join\` prints them, and \`onEvent\` of the SDK reports them.

### \`bad_message\`

"The message can't be parsed". HTTP 400, close code 4400, go-p2p error 1001.

- Cause: A message is not JSON, lacks a field, or has one that is not valid; \`detail\` names it.
- Remedy: Correct the message as the go-p2p or muster.2 protocol says (\`docs/go-p2p.md\`); use the SDK.

### \`undecryptable\`

"The frame can't be decrypted". HTTP 400, close code 4400, go-p2p error 1001.

- Cause: A frame is not the next one of the session, or was changed on the way.
- Remedy: Use one session per connection, and send frames in order. Nothing between peer and mesh may change frames.

### \`frame_too_large\`

"The frame is too large". HTTP 413, close code 4400, go-p2p error 1001.

- Cause: A frame is larger than the session's state allows: 1 MiB once the peer is active.
- Remedy: Send smaller messages; upload large results (the SDK does). A peer that can't take frames of 1 MiB itself says so with \`max_frame\` in its hello.

### \`out_of_place\`

"The message type is not allowed in this state". HTTP 400, close code 4400, go-p2p error 1001.

- Cause: The message type is not allowed in this state, such as a task message before the handshake has ended.
- Remedy: Wait for \`welcome\` (muster.2) or the acknowledgment and the ping (go-p2p) before other messages.

### \`unknown_type\`

"The message type is unknown". HTTP 400, close code 4400, go-p2p error 1001.

- Cause: The mesh knows no message of this type.
- Remedy: Check the spelling; update the mesh if the peer is newer.

### \`duplicate_message\`

"The message ID was already used". HTTP 409, close code 4400, go-p2p error 1001.

- Cause: A message with this ID was handled already: a repetition or a replay.
- Remedy: Give each message a new UUID.

### \`version_unsupported\`

"The protocol version is not supported". HTTP 400, close code 4401, go-p2p error 1001.

- Cause: The peer speaks a version of go-p2p that the mesh does not.
- Remedy: Use the version that \`detail\` names, or muster.2.

### \`bad_key\`

"The public key is invalid". HTTP 400, close code 4401, go-p2p error 1002.

- Cause: A public key of the request or the handshake is malformed (not 64 hex characters; in a go-p2p handshake: not the base64 of 32 bytes), not in its canonical encoding, or of low order. \`detail\` names the field.
- Remedy: Copy the whole key, as \`muster keygen\` or \`muster peers show PEER_ID\` prints it, or make a new one.

### \`identity_mismatch\`

"The ID does not belong to the key". HTTP 400, close code 4401, go-p2p error 1002.

- Cause: The peer ID does not belong to the key, or the key is the mesh's own, or another key was expected at a dialed address.
- Remedy: The ID is the first 16 bytes of SHA-256 of the public key, in hex. Of a dialed address: remove it (\`muster dial remove ID\`) and register it with the new \`--public-key\`.

### \`proof_failed\`

"The proof of the key is wrong". HTTP 401, close code 4401, go-p2p error 1002.

- Cause: The peer did not prove that it holds the private key: a wrong answer to the challenge, a wrong handshake, or a connection URL for another host.
- Remedy: Use the private key that belongs to the ID. Behind a reverse proxy the \`Host\` header must stay the one that the peer connects to.

### \`handshake_timeout\`

"The handshake timed out". HTTP 408, close code 4408, go-p2p error 1005.

- Cause: The handshake was not finished within 10 s.
- Remedy: Check the network, and that the peer answers the mesh's first ping (go-p2p).

### \`ping_timeout\`

"The peer did not answer pings". HTTP 408, close code 4408, go-p2p error 1005.

- Cause: The peer did not answer pings: it hangs, sleeps, or its network is gone.
- Remedy: The peer reconnects by itself. If it repeats, look for a blocked event loop (\`loop_blocked\`) or a proxy that ends idle connections before 25 s.

### \`clock_stepped_back\`

"The peer's clock was set back during its session". HTTP 409, close code 4400, go-p2p error 1004.

- Cause: The clock of a go-p2p node was set back by more than its session has lasted. The mesh drops what is stamped before the session began, because frames of earlier sessions open in later ones, so it would drop everything.
- Remedy: Connect again. Let the node's clock be set by NTP before the node starts, and slewed (not stepped) while it runs.

### \`dial_refused\`

"The dialed peer refused the session". HTTP 502, close code 1000, go-p2p error 1004.

- Cause: The peer that the mesh dialed refused the session; \`detail\` has its reason.
- Remedy: Look at the peer's log; it may have an allowlist in which the mesh's key is missing (\`muster mesh\` shows it).

### \`not_permitted\`

"A peer may not request this of the mesh". HTTP 403, close code 4400, go-p2p error 1002.

- Cause: A peer may not request this of the mesh: the type is for operators, or the allowlist entry lacks the role.
- Remedy: An administrator grants a role with \`muster allow PUBLIC_KEY --role controller\`.

### \`not_allowed\`

"The peer is not on the allowlist". HTTP 403, close code 4403, go-p2p error 1002.

- Cause: The mesh is an allowlist and the key is not on it, or was removed. The SDK stops.
- Remedy: The operator runs \`muster allow PUBLIC_KEY\`, or makes a link with \`muster join-key create\`.

### \`revoked\`

"The peer is revoked". HTTP 403, close code 4403, go-p2p error 1002.

- Cause: The operator has revoked the key. The SDK stops.
- Remedy: Make a new key (\`muster keygen\`) and have it admitted, or have the revocation lifted: \`muster denylist lift PEER_ID\`, then \`muster allow PUBLIC_KEY\`.

### \`rotated\`

"The peer has rotated to a new key". HTTP 409, close code 4403, go-p2p error 1002.

- Cause: The peer has rotated to another key, and this one is barred. As an event of the SDK: the rotation succeeded.
- Remedy: Use the new key file. A rotated key cannot be allowed again.

### \`downgrade_refused\`

"This key must use the newer protocol, which it used before". HTTP 403, close code 4403, go-p2p error 1002.

- Cause: This key has connected by muster.2 before and now tries go-p2p, which could be an attack.
- Remedy: Connect by muster.2, or give the go-p2p node a key of its own.

### \`join_key_invalid\`

"The join key is not valid for this mesh". HTTP 403, close code 4403, go-p2p error 1002.

- Cause: The join key is unknown, expired, revoked or used up. The SDK stops.
- Remedy: Ask the operator for a new link: \`muster join-key create\`.

### \`mesh_full\`

"The mesh has reached its limit of peers". HTTP 429, close code 4429, go-p2p error 1004.

- Cause: The mesh has as many peers as \`PEERS_MAX\` or its database allows, or a dialed session gave its place to another.
- Remedy: The peer tries again by itself. The operator raises \`PEERS_MAX\` or \`DIALS_MAX\`.

### \`rate_limited\`

"The rate limit is exceeded". HTTP 429, close code 4429, go-p2p error 1004.

- Cause: More messages, handshakes, failed requests or reads than allowed from this session or address.
- Remedy: Wait \`retry_after\` seconds and send fewer. Behind a reverse proxy set \`TRUSTED_PROXIES\`: otherwise all clients share one address. Limits: \`docs/configuration.md\`.

### \`superseded\`

"A newer session replaced this one". HTTP 409, close code 4409, go-p2p error 1004.

- Cause: A newer session of the same key began. The SDK stops.
- Remedy: Give each process a key file of its own.

### \`key_in_use\`

"Another process uses this key". HTTP 409, close code 4429, go-p2p error 1004.

- Cause: Another process with this key is connected and answers. As an event of the SDK: it tries again after a pause.
- Remedy: Give each process a key file of its own: \`muster keygen --out FILE\`.

### \`forgotten\`

"The peer was removed by the operator". HTTP 410, close code 1000, go-p2p error 1004.

- Cause: The operator removed the peer's record (\`DELETE /v1/peers/ID\`), which ended its session.
- Remedy: Connect again if the key is still allowed.

### \`drained\`

"The operator has drained this peer". HTTP 409, close code 1000, go-p2p error 1004.

- Cause: The operator drained the peer: it finished what it ran and left.
- Remedy: Nothing is wrong. Start the peer again when the operator says so; \`muster peers uncordon PEER_ID\`.

### \`mesh_restarting\`

"The mesh is restarting". HTTP 503, close code 4503, go-p2p error 1004.

- Cause: The mesh ends all sessions before a restart.
- Remedy: Nothing: the peer reconnects by itself, at a random time.

## Close codes

The code of the WebSocket's close frame; its reason begins with an error code, whose entry says more.

### \`1000\`

Close code 1000.

- Cause: Either side ended the session in order: the peer closed, was drained (\`drained\`) or removed (\`forgotten\`).
- Remedy: Nothing, unless the reason names a code.

### \`1006\`

Close code 1006: no close frame came.

- Cause: The connection broke, no connection could be made, or the upgrade was refused.
- Remedy: Check URL, network and reverse proxy. The SDK asks the mesh why and prints the code, such as \`clock_skew\` or \`rate_limited\`. It reconnects by itself.

### \`4400\`

Close code 4400.

- Cause: A message was not valid (\`bad_message\`, \`undecryptable\`, \`frame_too_large\`, \`out_of_place\`, \`unknown_type\`, \`duplicate_message\`).
- Remedy: Correct what the reason names. The SDK reconnects by itself.

### \`4401\`

Close code 4401.

- Cause: The handshake failed (\`proof_failed\`, \`bad_key\`, \`identity_mismatch\`, \`version_unsupported\`, \`clock_skew\`).
- Remedy: Check the key file and the clock; read the entry of the code in the reason.

### \`4403\`

Close code 4403. The SDK stops and does not reconnect.

- Cause: The mesh does not admit the key (\`not_allowed\`, \`revoked\`, \`rotated\`, \`join_key_invalid\`, \`downgrade_refused\`).
- Remedy: Have the operator admit the key; read the entry of the code in the reason.

### \`4408\`

Close code 4408.

- Cause: A timeout (\`handshake_timeout\`, \`ping_timeout\`), or the SDK heard nothing from the mesh.
- Remedy: The SDK reconnects by itself. If it repeats, check the network and idle timeouts of proxies.

### \`4409\`

Close code 4409. The SDK stops and does not reconnect.

- Cause: A newer session of the same key took over (\`superseded\`).
- Remedy: Give each process a key file of its own: \`muster keygen --out FILE\`.

### \`4429\`

Close code 4429.

- Cause: A limit (\`rate_limited\`, \`mesh_full\`, \`key_in_use\`).
- Remedy: Wait; the SDK does. Read the entry of the code in the reason.

### \`4503\`

Close code 4503.

- Cause: The mesh restarts or drains its sessions (\`mesh_restarting\`), or has a fault (\`unavailable\`, \`misconfigured\`, \`internal\`).
- Remedy: Nothing after a restart: the SDK reconnects at a random time. Otherwise read the mesh's log.

## go-p2p error messages

Numbers of go-p2p's \`error\` message; its \`details\` has Muster's code.

### go-p2p error 1000

Unknown error.

- Cause: A defect of the mesh (\`internal\`).
- Remedy: Try again; read the mesh's log.

### go-p2p error 1001

Invalid message.

- Cause: The message is not valid (\`bad_message\`, \`invalid_request\`, …).
- Remedy: Correct what \`message\` names.

### go-p2p error 1002

Unauthorized.

- Cause: The key or the peer may not do this (\`not_allowed\`, \`not_permitted\`, \`proof_failed\`, …).
- Remedy: Read the entry of the code in \`details\`.

### go-p2p error 1003

Not found.

- Cause: Nothing with this ID exists, or it is not this peer's (\`not_found\`).
- Remedy: Check the ID.

### go-p2p error 1004

Operation failed.

- Cause: The state or a limit does not allow it (\`conflict\`, \`queue_full\`, \`lease_lost\`, …).
- Remedy: Read the entry of the code in \`details\`; wait \`retry_after\` seconds if it is there.

### go-p2p error 1005

Timeout.

- Cause: No answer in time (\`peer_timeout\`, \`unavailable\`).
- Remedy: Try again.

## Errors and events of the SDK

\`PeerError.code\`, \`MusterApiError.code\`, and the types of \`onEvent\` that tell a problem.

### \`mesh_key_mismatch\`

\`PeerError\`; the peer stops.

- Cause: The mesh has another key than the pinned one: another mesh, an attacker, or a rotation that this peer missed.
- Remedy: Do not join unless the operator confirms the new key; then pass it with \`--mesh-key\`.

### \`mesh_unproved\`

\`PeerError\` and \`MusterApiError\`.

- Cause: The server did not prove the key that it claims: it is not the mesh, or something in between answers.
- Remedy: Check the URL, and the key with the operator (\`muster mesh\`).

### \`handshake_refused\`

\`PeerError\`; the peer stops.

- Cause: The mesh refused the handshake; the message has its reason.
- Remedy: Read the entry of the code in the message.

### \`rotation_failed\`

\`PeerError\` of \`rotate()\`; the peer keeps its key and its session.

- Cause: The mesh did not accept the new key, or the session ended before the request was sent.
- Remedy: Rotate again once the peer is connected.

### \`rotation_unknown\`

\`PeerError\` of \`rotate()\`.

- Cause: The peer ended before the mesh answered: either key may be valid.
- Remedy: Keep both keys; connect with the new one, and if it is refused with the old one.

### \`handlers_not_loaded\`

\`PeerError\`; the peer stops.

- Cause: The module of \`handlersModule\` (\`--module\`) cannot be loaded or exports no handlers.
- Remedy: Run \`node FILE\` to see its error; it must export functions named after kinds.

### \`closed\`

\`PeerError\` and event.

- Cause: \`peer.close()\` was called, or the peer was refused (\`error\` of the event says so).
- Remedy: Nothing, or the entry of the error's code.

### \`unreachable\`

\`MusterApiError\`, status 0. Also the failure of a \`disconnected\` event: \`cannot reach URL (ECONNREFUSED)\`; \`muster join\` ends with exit code 3.

- Cause: No answer in time: the mesh does not run, the URL is wrong, or the network is gone. Calls that wait for a task go on for 60 s (\`outageMs\`) before they throw this. In a web page also: \`CORS_ORIGINS\` of the mesh does not list the page's origin.
- Remedy: Check the URL and that the mesh runs (\`curl MESH_URL/healthz\`); \`muster start\` starts one in this folder. For a web page add its origin to \`CORS_ORIGINS\`. A task that was waited for goes on: \`error.taskId\` names it.

### \`invalid_response\`

\`MusterApiError\`.

- Cause: The answer is not one of the API: the URL leads to another server, to a proxy's error page, or the mesh has another version.
- Remedy: Check that the URL is that of a mesh (\`curl MESH_URL/v1/mesh\`).

### \`wait_timeout\`

\`WaitTimeout\`.

- Cause: The task had not ended within \`timeoutMs\`; it goes on.
- Remedy: Wait again, or see why it waits: \`muster why TASK\`.

### \`rejected\`

Event, before the socket closes.

- Cause: The mesh does not admit the peer; \`code\` says why.
- Remedy: Read the entry of the code.

### \`tls_failed\`

The failure of a \`disconnected\` event; \`muster join\` ends with exit code 3.

- Cause: The certificate of the server is not trusted (self-signed, expired, of another host), or the server does not speak TLS at this port. The system's code says which.
- Remedy: Correct the certificate or the URL (\`http://\` or \`https://\`). For a certificate authority of your own set \`NODE_EXTRA_CA_CERTS\` to its file.

### \`no_answer\`

The failure of a \`disconnected\` event: \`URL did not answer within 5 s\`.

- Cause: The server took the connection and said nothing: it hangs, or something else listens at this port.
- Remedy: Check the port, and that the mesh answers (\`curl MESH_URL/healthz\`).

### \`not_a_mesh\`

The failure of a \`disconnected\` event: \`URL is no Muster mesh (HTTP 200, text/html)\`; \`muster join\` ends with exit code 3.

- Cause: Something else answers at the URL: a web page, another API, a server of another protocol. Behind a proxy, often its login page.
- Remedy: Use the URL that \`GET /v1/mesh\` answers at, with its path if the mesh is below one.

### \`redirected\`

The failure of a \`disconnected\` event; \`muster join\` ends with exit code 3.

- Cause: The server redirects, for example from http to https. The SDK follows no redirect, which could lead to another server.
- Remedy: Use the URL that the message names, if you trust it.

### \`mesh_unavailable\`

The failure of a \`disconnected\` event: the mesh, or the proxy before it, answers an error.

- Cause: The mesh starts, is misconfigured, or does not run behind its proxy (HTTP 502, 503, 504, 520 to 526).
- Remedy: Read the code that the message contains, and the logs of the mesh. The peer keeps trying.

### \`websocket_failed\`

The failure of a \`disconnected\` event: the mesh answers requests, and the WebSocket could not be opened.

- Cause: A proxy before the mesh does not pass WebSockets on, or the connection broke at that moment.
- Remedy: If it stays, let the proxy pass the \`Upgrade\` header on (nginx: \`proxy_http_version 1.1\` with \`Upgrade\` and \`Connection\`).

### \`disconnected\`

Event; the peer reconnects after \`retryInMs\`.

- Cause: The connection ended; \`code\` is the close code and \`reason\` begins with an error code. If no session began, \`failure\` says why.
- Remedy: Read the entry of any of them.

### \`draining\`

Event.

- Cause: The peer takes nothing new and closes when what runs has ended, by its own decision or the operator's.
- Remedy: Nothing, or \`muster peers uncordon PEER_ID\`.

### \`task_refused\`

Event.

- Cause: This peer did not take an offered task; \`reason\` says why, such as no free slot.
- Remedy: Nothing: another peer gets it.

### \`task_failed\`

Event.

- Cause: The handler threw, or its attempt timed out, and the mesh has recorded it.
- Remedy: Correct the handler by \`error\`; throw \`TaskError\` with \`retry: false\` for a final failure.

### \`task_cancelled\`

Event.

- Cause: The attempt ended otherwise: cancelled, given to another peer, or its result came after the lease.
- Remedy: Stop the work when the handler's \`signal\` aborts.

### \`handler_unsettled\`

Event.

- Cause: A handler still runs 5 s after its attempt ended, and occupies a slot.
- Remedy: Let the handler stop when its \`signal\` aborts.

### \`loop_blocked\`

Event.

- Cause: Something blocked the event loop, most likely a handler: no lease was renewed and no ping answered.
- Remedy: Run handlers in threads: \`handlersModule\`, or \`muster join --module FILE\`.

### \`mesh_error\`

Event.

- Cause: The mesh refused a message; \`code\` is a go-p2p error code.
- Remedy: Read the entry of that code; \`message\` says what was wrong.

### \`frame_ignored\`

Event.

- Cause: A frame was dropped: a replay, for another peer, unreadable or not valid.
- Remedy: Nothing if it is rare. Otherwise somebody interferes with the connection, or the versions do not match.

## Errors of discovery

\`DiscoveryError.code\`, and the codes in \`degraded.failures\`, besides those of \`MusterApiError\`. [discovery.md](discovery.md#when-something-cant-be-read) says what is read nevertheless.

### \`discovery_incomplete\`

\`DiscoveryIncomplete\`, after the peers that could be read. \`muster discover\`: \`incomplete: …\`, exit code 5.

- Cause: Some published peers could not be read; \`degraded.failures\` has the code of each reason.
- Remedy: Read the entries of those codes. \`peers()\` returns the same without an error.

### \`statement_forged\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: Nothing that a source answered is signed with the mesh's signing key as it stands: a replica of another mesh, or one that alters answers.
- Remedy: Compare \`signing_key\` of \`/v1/mesh\` with the replica's \`MESH_VERIFYING_KEY\`; remove the replica from \`url\`.

### \`statement_old\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: A source is behind what this reader has seen before, or a pointer was replaced meanwhile.
- Remedy: Nothing, if the mesh or another replica is in \`url\`: it is asked next. Otherwise look at the replica's \`/healthz\`.

### \`pointer_expired\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The pointer's epoch has ended.
- Remedy: Read the list again. If all pointers have expired, set this machine's clock.

### \`directory_old\`

\`DiscoveryError\`.

- Cause: The mesh signed this list longer ago than \`maxAgeMs\` (1 hour): the replica is cut off from the mesh or hides what changed, or this machine's clock is wrong.
- Remedy: Look at the replica's \`/healthz\` and set the clock. \`maxAgeMs\` and \`--max-age SECONDS\` accept older lists.

### \`list_incomplete\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The mesh has published more peers than any source lists, the server states no totals, or its pages do not follow each other: it leaves something out, or is older than this client.
- Remedy: Upgrade the mesh and its replicas. Otherwise remove the replica from \`url\`.

### \`signing_key_changed\`

\`DiscoveryError\`; following ends.

- Cause: \`keys\` returned another signing key than at first: this is another mesh, or its signing key was replaced.
- Remedy: Confirm the key with the operator, and make a new reader.

### \`epoch_unknown\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The reader has no keys of the epoch under which a peer is published: they are outdated, or it is no member any more.
- Remedy: Pass \`keys\` as a function, which is called again. If that does not help, ask the operator (\`muster allow\`).

### \`blob_missing\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: No source has the sealed record that a signed pointer names: a store has lost it, does not show it yet, or the reader's token is not valid any more.
- Remedy: Read again in a minute. If it stays, look at KV, or at Redis and its \`maxmemory-policy\`.

### \`container_sealed_otherwise\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The record is sealed to another key, or was changed.
- Remedy: If other sources open it, remove the one that returned it.

### \`container_invalid\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: What a source returned is no sealed record.
- Remedy: If other sources open it, remove the one that returned it.

### \`container_unsupported\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The record has a form that this version does not know.
- Remedy: Upgrade this client.

### \`container_too_large\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The record is larger than one can be.
- Remedy: If other sources open it, remove the one that returned it.

### \`content_invalid\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The record opens, and is no form.
- Remedy: Upgrade this client; if other members can't read it either, tell the operator.

### \`record_invalid\`

\`DiscoveryError\`, or a reason in \`degraded\`.

- Cause: The record opens, and is no peer's.
- Remedy: Upgrade this client; if other members can't read it either, tell the operator.

### \`form_invalid\`

\`DiscoveryError\` or \`StmfError\`.

- Cause: The content is no form, or exceeds a limit.
- Remedy: Correct what is sealed.

### \`public_key_invalid\`

\`StmfError\`.

- Cause: The recipient's key is not 32 bytes, or is one with which everybody could open the container.
- Remedy: Pass the recipient's X25519 public key.

### \`private_key_invalid\`

\`DiscoveryError\` or \`StmfError\`.

- Cause: The private key is not 32 bytes.
- Remedy: Pass the key as 32 bytes or 64 hex characters.

### \`recipients_invalid\`

\`StmfError\`.

- Cause: No recipient was given, or too many.
- Remedy: Pass 1 or more, within the limit in the message.

## Why a task waits

\`muster why TASK\` (\`waits_because\`) names the rules, and how many peers each excludes.

### it may not be offered before …

Reason in \`waits_because\`.

- Cause: A pause before the next attempt.
- Remedy: Wait, or submit with a smaller \`backoff\`.

### no connected peer handles …

Reason in \`waits_because\`.

- Cause: No connected peer announces the kind. In a mesh of several cells: none of the cell that the reason names.
- Remedy: Start a peer with a handler of the kind; the reason names kinds that are similar. If a peer of another cell has one, the task moves there by itself within a second.

### no connected peer can take it now…: …

Reason in \`waits_because\`.

- Cause: Each connected peer is excluded by a rule; their entries follow. In a mesh of several cells: each of the cell that the reason names.
- Remedy: Change what excludes most peers. If a peer of another cell can take the task, it moves there by itself within a second.

### its owner has … at peers, the limit max_running…

Reason in \`waits_because\`.

- Cause: The limit of the owner.
- Remedy: Raise it: \`muster token set ID --max-running N\`.

### its concurrency key "…" has … at peers, the limit of the key

Reason in \`waits_because\`.

- Cause: The task's concurrency key is used up.
- Remedy: Wait until a task of the key ends, or submit with a higher limit.

### kind … has … at peers, the concurrency of the kind…

Reason in \`waits_because\`.

- Cause: The settings of the kind limit how many run at once.
- Remedy: Raise it: \`PUT /v1/kinds/KIND\`.

### kind … has a rate of … tasks per second; the next one is offered in … s

Reason in \`waits_because\`.

- Cause: The settings of the kind limit its rate.
- Remedy: Wait, or raise it: \`PUT /v1/kinds/KIND\`.

### \`not_active\`

Rule in \`ruled_out\` and \`excluded\`; in words: "not answering".

- Cause: The peer does not answer at the moment.
- Remedy: Look at it: \`muster peers\`.

### \`cordoned\`

Rule in \`ruled_out\` and \`excluded\`; in words: "cordoned or draining".

- Cause: The peer is cordoned or draining.
- Remedy: \`muster peers uncordon PEER_ID\`.

### \`controller\`

Rule in \`ruled_out\` and \`excluded\`; in words: "controllers".

- Cause: The peer is a controller, which runs no tasks.
- Remedy: Join with the role \`worker\` or \`dual\`.

### \`other_peer_named\`

Rule in \`ruled_out\` and \`excluded\`; in words: "not the named peer".

- Cause: The task names another peer (\`requirements.peer_id\`).
- Remedy: Connect that peer, or submit without the requirement.

### \`avoided\`

Rule in \`ruled_out\` and \`excluded\`; in words: "to be avoided".

- Cause: The task avoids the peer (\`requirements.avoid\`).
- Remedy: Submit without it.

### \`other_role\`

Rule in \`ruled_out\` and \`excluded\`; in words: "of another role".

- Cause: The task requires another role.
- Remedy: Submit without \`requirements.role\`.

### \`kind_not_handled\`

Rule in \`ruled_out\` and \`excluded\`; in words: "without this kind".

- Cause: The peer does not announce the kind.
- Remedy: Give the peer a handler of the kind.

### \`capability_missing\`

Rule in \`ruled_out\` and \`excluded\`; in words: "without a required label".

- Cause: The peer lacks a label that the task requires.
- Remedy: Start the peer with \`--capability LABEL\`, or submit without it.

### \`score_too_low\`

Rule in \`ruled_out\` and \`excluded\`; in words: "below the required score".

- Cause: The peer's score is below \`requirements.min_score\`.
- Remedy: \`muster score PEER\` shows why; lower the requirement.

### \`others_may_return\`

Rule in \`ruled_out\` and \`excluded\`; in words: "that connected a moment ago, when others may return with it".

- Cause: The peer connected a moment ago, and the peer that had begun the task may return with it.
- Remedy: Wait a moment.

### \`failed_here\`

Rule in \`ruled_out\` and \`excluded\`; in words: "that failed at it".

- Cause: The peer failed at this task, and another could take it.
- Remedy: Nothing: another one gets it. \`muster task ID\` shows the errors.

### \`circuit_open\`

Rule in \`ruled_out\` and \`excluded\`; in words: "resting after failures".

- Cause: The peer failed too often and rests; it is probed by single tasks.
- Remedy: Repair the peer, then \`muster peers reset PEER_ID\`.

### \`probe_running\`

Rule in \`ruled_out\` and \`excluded\`; in words: "being probed after failures".

- Cause: The peer rested after failures and is being probed by one task.
- Remedy: Wait for that task, or \`muster peers reset PEER_ID\`.

### \`no_room\`

Rule in \`ruled_out\` and \`excluded\`; in words: "without a free slot".

- Cause: All slots of the peer are taken.
- Remedy: Connect more peers, or raise \`slots\`.

### \`not_looked_at\`

Rule in \`ruled_out\` and \`excluded\`; in words: "not considered".

- Cause: The peer was not considered, because enough better ones were.
- Remedy: Nothing.

### \`circuit_not_closed\`

\`held_back_by\` of a peer in \`muster why\`.

- Cause: The peer ranks behind others because of failures.
- Remedy: Repair the peer, then \`muster peers reset PEER_ID\`.

### \`no_free_slot\`

\`held_back_by\` of a peer in \`muster why\`.

- Cause: The peer would run the task only after another one.
- Remedy: Connect more peers.

### \`failed_before\`

\`held_back_by\` of a peer in \`muster why\`.

- Cause: The peer failed at this task before.
- Remedy: Nothing.

### \`over_share\`

\`held_back_by\` of a peer in \`muster why\`.

- Cause: The peer had more than \`SHARE_MAX\` of the latest tasks.
- Remedy: Raise \`SHARE_MAX\`, or nothing.

## Why a task or an attempt failed

\`muster task ID\` shows the state and the attempts, \`muster tasks failures\` groups the failures.

### \`failed\`

State of a task, an attempt or a callback.

- Cause: A task: its attempts are used up, or the handler's error was final. A callback: 12 attempts without a 2xx, or 410.
- Remedy: \`muster task ID\` shows the errors; then \`muster task ID --retry\` or \`muster callback repeat TASK_ID\`.

### \`expired\`

State of a task.

- Cause: Its deadline passed before it was done.
- Remedy: \`muster why TASK\` says why it waited; submit with a later deadline, or \`muster task ID --retry --deadline SECONDS\`.

### \`cancelled\`

State of a task, an attempt or a callback.

- Cause: Somebody cancelled it, or its owner was revoked; \`error\` says which.
- Remedy: \`muster audit --subject ID\` shows who. \`muster task ID --retry\` queues it again.

### \`timed_out\`

State of an attempt; counts against \`max_attempts\`.

- Cause: It took longer than the attempt timeout, or the handler renewed no lease.
- Remedy: Raise \`attempt_timeout_seconds\` of the task or the kind; check for a blocked event loop.

### \`unanswered\`

State of an attempt; does not count.

- Cause: The peer did not answer the offer in time, and counts as suspect.
- Remedy: Look at the peer.

### \`lost\`

State of an attempt; counts against \`max_interruptions\`.

- Cause: The peer disconnected with the task and did not return in time.
- Remedy: Look at the peer's network and log.

### \`abandoned\`

State of an attempt; counts against \`max_interruptions\`.

- Cause: The peer gave up a task that it had begun, because it left.
- Remedy: Drain peers before you stop them (\`muster peers drain PEER_ID\`).

### \`reclaimed\`

State of an attempt; does not count.

- Cause: The mesh gave a task that had not begun to a peer that was free.
- Remedy: Nothing.

### the deadline passed before the task was done

\`error\` of a task.

- Cause: As \`expired\`.
- Remedy: As \`expired\`.

### the deadline passed

Reason of a cancelled attempt.

- Cause: The deadline of the task passed while the attempt ran.
- Remedy: As \`expired\`.

### the offer was not accepted in time

\`error\` of an attempt.

- Cause: As \`unanswered\`.
- Remedy: As \`unanswered\`.

### the attempt took longer than … s

\`error\` of an attempt.

- Cause: As \`timed_out\`.
- Remedy: As \`timed_out\`.

### the lease ended without a sign of life

\`error\` of an attempt.

- Cause: The peer, or its handler, did not renew the lease.
- Remedy: Look for a crash or a blocked event loop (\`loop_blocked\`).

### the time of its peer's drain was over

\`error\` of an attempt.

- Cause: The task ran longer than the drain of its peer allowed.
- Remedy: Drain with a longer \`--timeout\`.

## Callbacks

\`muster task ID\` lists the attempts of a callback with status and error.

### not sent: …

Error of an attempt.

- Cause: The mesh refused to call the URL; what follows says why, and has its own entry.
- Remedy: Use a receiver with a public name and address.

### HTTP …

Error of an attempt: the receiver's status.

- Cause: The receiver answered, and not with 2xx. After 410 there are no more attempts.
- Remedy: Look at the receiver's log. 401: compare the secret (\`muster callback secret URL\`).

### redirects are not followed

Error of an attempt: a status of 3xx.

- Cause: A redirect could lead to an address that is not allowed.
- Remedy: Give the URL that the redirect leads to.

### no answer within … s

Error of an attempt, or of a dial.

- Cause: The receiver accepted the connection, or not even that, and sent no status in time.
- Remedy: Answer at once and do the work afterwards. Of a dial: check that the node listens.

### the receiver can't be reached

Error of an attempt.

- Cause: No connection: the name does not resolve, nothing listens, TLS fails, or the connection broke.
- Remedy: Check the URL from outside of your network: \`curl -v URL\`.

### the callback's secret does not open any more

Error of an attempt; the callback has failed.

- Cause: The mesh's signing key changed since the task was given.
- Remedy: Submit the task again.

## URLs that the mesh calls

Reasons why a URL of a callback or of a dial is refused, at the request (\`invalid_request\`) or at an attempt (\`not sent\`, \`not dialed\`).

### not an absolute URL

Reason.

- Cause: The text is not a URL with scheme and host, or contains spaces or control characters.
- Remedy: Write it as \`https://HOST/PATH\`.

### the URL must begin with …

Reason.

- Cause: Another scheme.
- Remedy: Use the schemes that the reason names.

### the URL must not contain a user name or password

Reason.

- Cause: \`https://USER:PASSWORD@HOST/\`.
- Remedy: Remove them; callbacks are signed.

### port … is not allowed: …

Reason.

- Cause: The port belongs to another protocol, for which an HTTP request could be a command.
- Remedy: Let the receiver listen on 443, 80, or a port from 1024 up that is not the usual one of another service. The operator of a self-hosted mesh can list \`HOST:PORT\` in \`OUTBOUND_ALLOW\`.

### … is not a public address

Reason.

- Cause: A private, loopback or otherwise reserved address.
- Remedy: Use a public one, or a tunnel. The operator of a self-hosted mesh can list it in \`OUTBOUND_ALLOW\`. Only for tests: \`ALLOW_LOOPBACK=true\`.

### … is a loopback name, which is not allowed

Reason.

- Cause: \`localhost\`.
- Remedy: Use a public name. The operator of a self-hosted mesh can list it in \`OUTBOUND_ALLOW\`. Only for tests: \`ALLOW_LOOPBACK=true\`.

### … is not a public name

Reason.

- Cause: The name is one that public DNS does not resolve, such as \`HOST.internal\` or a name without a dot.
- Remedy: Use a public name. The operator of a self-hosted mesh can list it in \`OUTBOUND_ALLOW\`.

### a URL has at most … characters

Reason.

- Cause: It is longer.
- Remedy: Shorten it.

### the host name resolves to an address that is not public

Reason.

- Cause: Public DNS gives a private address for the name.
- Remedy: Correct the DNS entry, or use another name. If the address is meant, the operator of a self-hosted mesh can list the name in \`OUTBOUND_ALLOW\`; for an address of cloud metadata the address, too.

## Dials

\`muster dial list\` shows the state and the last error of each address.

### \`barred\`

State of an address.

- Cause: The mesh would refuse its key; the error names the code (\`not_allowed\`, \`revoked\`, \`downgrade_refused\`).
- Remedy: Admit the key, or remove the address: \`muster dial remove ID\`.

### \`resting\`

State of an address.

- Cause: The peer is connected by a session that it opened itself.
- Remedy: Nothing.

### not dialed: …

Last error.

- Cause: The mesh refused to call the URL; what follows says why.
- Remedy: Register another address.

### the address does not accept a WebSocket: HTTP …

Last error.

- Cause: Something else than a go-p2p node answers there, or the path is wrong.
- Remedy: Check host, port and path; a node listens on \`wss://HOST:9091/ws\`.

### unreachable: no connection could be made

Last error.

- Cause: The name does not resolve, nothing listens, or TLS fails.
- Remedy: Check the address from outside: \`curl -v https://HOST:PORT/\`.

### the attempt had no outcome in time

Last error.

- Cause: The session's object ended while it dialed.
- Remedy: Nothing: the mesh dials again.

## Configuration at start

\`muster start\` and every answer of the mesh (\`misconfigured\`) name the variable in front of these texts. All variables: \`docs/configuration.md\`.

### is missing

After the name of the variable.

- Cause: The secret or variable is not set.
- Remedy: \`npx muster keygen --mesh --out mesh.secrets\`, then \`npx wrangler secret bulk mesh.secrets\`.

### is not 32 bytes in hex or base64

After the name of a key.

- Cause: The key was cut or changed.
- Remedy: Restore it from a backup; a new key makes another mesh.

### CORS_ORIGINS …

With the number of the entry that is wrong, and why.

- Cause: The entry is no origin as browsers write it, or a word (\`*\`, \`none\`) that must stand alone.
- Remedy: Write scheme, host and port in lower case, without a path and without \`/\` at the end: \`https://app.example, localhost\`.

### PUBLIC_URL …

Exit code 2, with what is wrong.

- Cause: \`PUBLIC_URL\` is not a URL at which others can reach a mesh.
- Remedy: Write the scheme and the host, such as \`https://mesh.example\`.

### OUTBOUND_ALLOW …

With the number of the entry that is wrong, and why.

- Cause: The entry is no name, address or network as the list has them, or has more than one meaning.
- Remedy: Write \`HOST\`, \`HOST:PORT\`, \`10.0.0.5\`, \`[fd00::5]:8443\` or \`10.0.0.0/8\`, separated by commas.

### is wrong in entry …: …

After \`OTLP_HEADERS\`.

- Cause: The entry is not \`name=value\`, names a header that the mesh sets itself, or has a value that no header can have.
- Remedy: Write \`name=value,name=value\`, and percent-encode values: \`authorization=Bearer%20TOKEN\`.

### is longer than … headers

After \`OTLP_HEADERS\`.

- Cause: A collector needs one or two headers.
- Remedy: Remove the others.

### is none of debug, info, warn and error

After the name of the variable.

- Cause: \`LOG_LEVEL\` is another word.
- Remedy: Use \`debug\`, \`info\`, \`warn\` or \`error\`.

### is neither allowlist nor open

After the name of the variable.

- Cause: \`AUTH_MODE\` is another word.
- Remedy: Use \`allowlist\` or \`open\`.

### is neither true nor false

After the name of a switch.

- Cause: Another word.
- Remedy: Use \`true\` or \`false\`.

### is not a URL like https://mesh.example: …

As a Worker HTTP 500; exit code 2.

- Cause: \`PUBLIC_URL\` is not an http or https URL, or has a user, a query or a fragment.
- Remedy: Write the URL by which peers and senders reach the mesh, such as \`https://mesh.example\`.

### is not a number

After the name.

- Cause: The value is neither a text nor a number.
- Remedy: Set a number.

### is not a number from 0 up

After the name.

- Cause: The text is not a number in decimal digits, such as \`0.25\`. An exponent (\`1e-1\`), a sign, spaces and an empty text are refused.
- Remedy: Set a number in decimal digits.

### is not a whole number in decimal digits

After the name.

- Cause: The text has something else than decimal digits, or begins with a 0: a fraction (\`4.0\`), an exponent (\`1e1\`), \`0x4\`, a sign, spaces. Or it is empty, or too large.
- Remedy: Set a whole number in decimal digits, such as \`10\`.

### is below …

After the name.

- Cause: The number is too small.
- Remedy: Set at least the number that the text names.

### is above …

After the name.

- Cause: The number is too large.
- Remedy: Set at most the number that the text names.

### is not a list of …

After \`DISCOVERY_METADATA\`.

- Cause: A word of the list is none of those named.
- Remedy: Use the words that the text names, separated by commas.

### is not a number of degrees up to …

After \`MESH_LATITUDE\` or \`MESH_LONGITUDE\`.

- Cause: Not a coordinate.
- Remedy: Use decimal degrees, such as \`48.9\`.

### is neither platform, none nor a URL

After \`LOCATION_SERVICE\`.

- Cause: Another word.
- Remedy: Use \`platform\`, \`none\` or a URL of a service.

### is neither listed, all nor none

After \`DISCOVERY_MEMBERS\`.

- Cause: Another word.
- Remedy: Use one of the three.

### is shorter than … characters

After \`ADMIN_TOKEN\` or \`OUTBOUND_PROXY_SECRET\`.

- Cause: The secret can be guessed.
- Remedy: Make a new one: \`npx muster keygen --mesh --out mesh.secrets\`.

### is not a bearer token: …

After \`ADMIN_TOKEN\`.

- Cause: It has characters that a header cannot carry.
- Remedy: Use the characters that the text names.

### is not a URL

After \`UPSTASH_REDIS_REST_URL\`, \`OUTBOUND_PROXY\` or \`OTLP_ENDPOINT\`.

- Cause: The text is not an http or https URL.
- Remedy: Set a URL such as \`https://HOST\`.

### has a user or password; put what authorizes into OTLP_HEADERS

After \`OTLP_ENDPOINT\`.

- Cause: The URL names a user.
- Remedy: Remove it, and set \`OTLP_HEADERS\` to \`authorization=Basic%20…\`.

### has a query or a fragment

After \`OTLP_ENDPOINT\`.

- Cause: The mesh appends \`/v1/traces\` to the URL.
- Remedy: Remove what follows \`?\` or \`#\`.

### is empty

After \`UPSTASH_REDIS_REST_TOKEN\`.

- Cause: The secret has no characters.
- Remedy: Set the token, or remove both variables.

### has characters that a header cannot contain

After \`OUTBOUND_PROXY_SECRET\`.

- Cause: The secret is sent in a header.
- Remedy: Use A-Z a-z 0-9 . _ ~ + / = -.

### is not an RFC 3339 time

After \`MESH_ROTATION_ENDS\`.

- Cause: The text is not a time with an offset.
- Remedy: Use a time such as \`2030-01-31T08:00:00Z\`.

### is neither expected-cost nor best-score

After \`SELECTION_POLICY\`.

- Cause: Another word.
- Remedy: Use one of the two.

### is not latency=N,reliability=N,hops=N,distance=N with numbers from 0 that sum to 1

After \`SCORE_WEIGHTS\`.

- Cause: A factor is missing or named twice, or the sum is not 1.
- Remedy: Name each of the four once, such as \`latency=0.35,reliability=0.35,hops=0.2,distance=0.1\`.

### MESH_IDENTITY_KEY, MESH_DISCOVERY_KEY and MESH_SIGNING_KEY must be three different keys, and MESH_IDENTITY_KEY_NEXT a fourth

The whole text.

- Cause: Two of the keys are the same.
- Remedy: Make the keys with \`npx muster keygen --mesh --out mesh.secrets\`.

### MESH_ROTATION_ENDS is missing beside MESH_IDENTITY_KEY_NEXT

The whole text.

- Cause: A next key is set without an end of the rotation.
- Remedy: Set both, or neither.

### MESH_ROTATION_ENDS is more than 30 days ahead

The whole text.

- Cause: A rotation takes at most 30 days.
- Remedy: Set an earlier time.

### UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN must be set together

The whole text.

- Cause: One of the two is missing.
- Remedy: Set both, or neither.

### OUTBOUND_ALLOW needs an OUTBOUND_PROXY, which connects to the hosts that it lists and to no other private address

The whole text.

- Cause: The list is set on Cloudflare, or on a workerd that has no outbound proxy.
- Remedy: Run the mesh by \`muster serve\`, which has a proxy, or remove the list.

### OTLP_HEADERS needs OTLP_ENDPOINT

The whole text.

- Cause: Headers for a collector are set, and no collector.
- Remedy: Set \`OTLP_ENDPOINT\`, or remove the headers.

### OUTBOUND_PROXY and OUTBOUND_PROXY_SECRET must be set together

The whole text.

- Cause: One of the two is missing.
- Remedy: Set both, or neither.

## Start of a discovery replica

Written to stderr after \`replica: \`, and as a Worker answered with HTTP 500 \`misconfigured\`. Values are never shown.

### UPSTASH_REDIS_REST_URL is not set: …

Exit code 2; as a Worker HTTP 500.

- Cause: The setting is missing.
- Remedy: Set it to the URL of the store's REST API.

### UPSTASH_REDIS_REST_URL is not an http or https URL

Exit code 2; as a Worker HTTP 500.

- Cause: The setting is no such URL.
- Remedy: Copy the REST URL from the provider's page; it is not the \`redis://\` one.

### UPSTASH_REDIS_REST_TOKEN is not set: …

Exit code 2; as a Worker HTTP 500.

- Cause: The setting is missing.
- Remedy: Set it to a token that may read the store.

### UPSTASH_REDIS_REST_TOKEN has a character that no token has, such as a space

Exit code 2; as a Worker HTTP 500.

- Cause: The setting has a space, a line end or another such character.
- Remedy: Copy the token again, without quotes.

### MESH_VERIFYING_KEY is not set: …

Exit code 2; as a Worker HTTP 500.

- Cause: The setting is missing.
- Remedy: Set it to \`signing_key\` of the mesh's \`/v1/mesh\`.

### MESH_VERIFYING_KEY is not a key: …

Exit code 2; as a Worker HTTP 500.

- Cause: The setting has not 64 hex characters.
- Remedy: Set it to \`signing_key\` of the mesh's \`/v1/mesh\`.

### DISCOVERY_PUBLIC is neither true nor false

Exit code 2; as a Worker HTTP 500.

- Cause: The setting has another value.
- Remedy: Set \`true\` or \`false\`, or remove it.

### REPLICA_KEPT_BYTES is not a whole number from 0 to …

Exit code 2; as a Worker HTTP 500.

- Cause: The setting is no such number.
- Remedy: Write bytes without a unit, such as 33554432.

### UPSTASH_REDIS_REST_TOKEN: the store refuses this token

Exit code 2; as a Worker HTTP 500.

- Cause: The token is wrong, was revoked, or may not read.
- Remedy: Make a token that may read, and compare it with that of the URL's database.

### UPSTASH_REDIS_REST_URL: the store does not answer; …

On stderr.

- Cause: Redis or the network does not answer within a second. The replica runs.
- Remedy: Nothing if it comes back; otherwise check the URL from this machine.

### MESH_VERIFYING_KEY: the store holds no complete directory …

Exit code 2; as a Worker HTTP 500.

- Cause: The store holds the directory of another mesh, or an incomplete one.
- Remedy: Compare the key with \`signing_key\` of the mesh's \`/v1/mesh\`, and the URL with the mesh's.

### the store holds no directory yet; …

On stderr.

- Cause: The mesh has not written to this store, or it was emptied. The replica runs.
- Remedy: Wait a minute; otherwise give the mesh the same store (\`UPSTASH_REDIS_REST_URL\`).

### PORT is not a port, a whole number from 0 to 65535

Exit code 2.

- Cause: The setting has another value.
- Remedy: Set a free port.

### PORT and HOST: this address can't be listened on (…)

Exit code 1.

- Cause: Another program uses the port, or this user may not use it.
- Remedy: Choose another port or address.

## Commands

Failures of \`muster\` itself; after errors of a mesh it prints their code. A mistake in the command line (exit code 2) shows the usage.

### no mesh is selected

Exit code 2.

- Cause: None of \`--url\`, \`MUSTER_URL\` and \`MUSTER_DIR\` is set, and this folder has no mesh.
- Remedy: Pass \`--url URL\`, or \`--dir FOLDER\` with the folder of a mesh of this machine, or run \`muster start\` here.

### … has no mesh…

Exit code 2.

- Cause: The folder of \`--dir\` or \`MUSTER_DIR\` does not exist, is a file, or no mesh was started there.
- Remedy: Name the folder of a mesh, or start one there: \`muster start --dir FOLDER\`.

### another mesh (process …) uses the folder …

Exit code 1.

- Cause: A mesh runs with this state folder.
- Remedy: Stop it, or choose another \`--dir\`.

### process … has held … for … s

Exit code 1.

- Cause: Another command holds the lock of the folder.
- Remedy: Wait for it, or end that process.

### port … of … is in use (…)

Exit code 1.

- Cause: Another program listens there: another mesh, or an earlier start that still runs.
- Remedy: End it (\`ss -ltnp\` shows it), or choose another port: \`--port 0\` selects a free one.

### … is not an address of this machine (…)

Exit code 1.

- Cause: The address of \`--ip\` is not one of this machine.
- Remedy: Use 127.0.0.1, 0.0.0.0 or an address that \`ip addr\` shows.

### this user may not listen on port … (…)

Exit code 1.

- Cause: Ports below 1024 are reserved for the administrator on many systems.
- Remedy: Choose a higher port, or put a reverse proxy in front of the mesh.

### cannot listen on …:… (…)

Exit code 1.

- Cause: The system refuses it, such as a port below 1024.
- Remedy: Choose another \`--port\`.

### the package … is not installed

Exit code 1, of \`muster start\` and \`muster demo\` from an installed package.

- Cause: A mesh on this machine needs the package \`muster-mesh-server\`; peers and controllers do not.
- Remedy: Run the command that the error shows: both packages in one folder, or both with \`--global\`, at the same version.

### the Worker does not build

Exit code 1, with the bundler's output.

- Cause: A file of the installation is missing or was changed.
- Remedy: Install again (\`npm ci\`).

### the mesh cannot run: …

Exit code 1.

- Cause: A setting is wrong, or the database cannot be read or written. The text says which setting, or why.
- Remedy: Correct the setting; see "Configuration at start". For the database, see that its disk has room and its folder belongs to the user who runs the mesh.

### the database … is damaged: …

Exit code 1, with what is wrong: it is no SQLite database, bytes are missing at its end, it is empty or a folder, or SQLite's code (\`SQLITE_CORRUPT\`).

- Cause: A disk that failed, a copy that was made while the mesh ran, or another program that wrote to the folder.
- Remedy: Restore a backup into a new folder (\`muster restore FILE --dir FOLDER\`), and keep the damaged one until that mesh runs. Copy a folder only while its mesh is stopped; back up a running one with \`muster backup\`.

### cannot read the database … (…)

Exit code 1, with the system's code.

- Cause: The user who runs the command may not read the folder of the mesh.
- Remedy: Run the command as the owner of the folder.

### the mesh did not start

Exit code 1, with the last lines of the mesh.

- Cause: workerd ended: a wrong variable, a port that was taken, or a platform without workerd.
- Remedy: Read the lines; see "Configuration at start".

### the mesh did not answer within … s

Exit code 1, with the last lines of the mesh.

- Cause: The machine is very busy, or something listens on the port and does not answer.
- Remedy: Read the lines; start it again, or with another \`--port\`.

### the mesh ended unexpectedly

Exit code 1.

- Cause: workerd ended while it ran.
- Remedy: Read the lines before; start it again: nothing that was accepted is lost.

### the program does not dial the mesh of the kit: …

Exit code 1.

- Cause: The program of \`muster conformance --cmd\` did not open a WebSocket at \`MUSTER_URL\` within 60 s: it ended, or dials another address. What it wrote follows.
- Remedy: Start the command line by hand to see its error. [conformance.md](conformance.md#the-program-under-test) lists the variables that the program reads.

### the process of … ended unexpectedly (…)

Exit code 1 of \`muster demo\`.

- Cause: A peer of the demo crashed.
- Remedy: Read the lines before, and start the demo again.

### the key of the mesh is …, not …

Exit code 1.

- Cause: The program that starts the mesh expects another key than \`secrets.env\` gives it: the folder's secrets were replaced.
- Remedy: Put the secrets of this mesh back into its folder.

### … and … are no TLS certificate with its key: …

Exit code 2, with the reason of OpenSSL.

- Cause: One of the files of \`--tls-cert\` and \`--tls-key\` is no PEM file, or the key is that of another certificate.
- Remedy: Name the certificate with its chain, and its own key.

### the disk of … is full: … to start

Exit code 1.

- Cause: The file system of the mesh's folder is full.
- Remedy: Make room on it, or move the folder to a larger disk.

### workerd can't be started (…)

Exit code 1, with the system's reason.

- Cause: The program workerd is missing, cannot be run, or is not made for this platform.
- Remedy: Install again (\`npm ci\`, or \`npm install muster-mesh-server\`) on the machine that runs the mesh.

### … was deleted while the mesh started

Exit code 1.

- Cause: Somebody removed the secrets.
- Remedy: Start again.

### … is not NAME=VALUE with the name of a secret…

Exit code 1; 2 if the call names the file (\`--secrets\`).

- Cause: A file with secrets has a line that is none, or a name that is misspelled or none of a secret.
- Remedy: Correct or remove the line. docs/configuration.md lists the names.

### …: the secret … …

Exit code 1, with the file in the folder of the mesh, the name of the secret and what is wrong. 2 if the call or a variable gives it.

- Cause: The secret was cut off or changed in \`secrets.env\`.
- Remedy: Put the right key back, from a backup: with another one the mesh is another mesh. A token can be any text of at least 16 characters.

### … has …, which an earlier line has

Exit code 1; 2 if the call names the file.

- Cause: A file with secrets has a name twice.
- Remedy: Remove the line that is wrong.

### … lacks …

Exit code 1.

- Cause: The secrets file is incomplete.
- Remedy: Restore it from a backup; without its keys the mesh is another one.

### MESH_IDENTITY_KEY is not 32 bytes in hex or base64

Exit code 1.

- Cause: The secret was cut off or changed, in \`secrets.env\` or where it is set.
- Remedy: Give the mesh the key that it was made with, from a backup. Another key makes it another mesh, which its peers refuse.

### … is not valid

Exit code 1.

- Cause: A file of the state folder cannot be read.
- Remedy: Start the mesh again; for the file of known meshes repair it, or delete it and check the key of each mesh again.

### … proved the key … here, and … to another process

Exit code 1.

- Cause: Two processes saw different keys at one address at the same time: one of them may be an attacker's.
- Remedy: Ask the operator for the key, and pass it with \`--mesh-key\`.

### … exists already

Exit code 1.

- Cause: A file with a secret is never overwritten.
- Remedy: Choose another \`--out\`.

### … does not exist

Exit code 2. The text after it says which option or argument names the file.

- Cause: The path is wrong, or relative to another folder.
- Remedy: Check the path. A key file is made by \`muster keygen --out FILE\`.

### … is not a key file

Exit code 2.

- Cause: The file has another content.
- Remedy: Make one: \`muster keygen --out FILE\`.

### the webhook source … was removed

\`muster webhook listen\` ends with it.

- Cause: The source was removed while the command showed what arrives at it.
- Remedy: \`muster webhook list\` shows the sources; \`muster webhook create\` makes a new one.

### cannot go on (…): …

Exit code 1, with the system's code: \`ENOSPC\` for a full disk, \`EDQUOT\` for a quota, \`EROFS\` for a read-only file system, \`EIO\` for a broken one.

- Cause: A disk of this machine refused what the command had to read or write.
- Remedy: Free space on it, or choose another folder, and run the command again.

### cannot read … (…)

Exit code 2 for a file that the call names, 1 for one of Muster's own, with the system's code: \`EISDIR\` for a folder, \`EACCES\` for missing rights.

- Cause: The file is not readable, or is no file.
- Remedy: Check path and rights.

### cannot create the folder … (…)

Exit code 2, with the system's code.

- Cause: \`--dir\` is a file, its folder is not writable, or the disk is full.
- Remedy: Choose another folder.

### … peers of this mesh run from this folder

Exit code 1.

- Cause: Each running \`muster join\` with a join key has a key of its own in the state folder, and there are as many as it keeps.
- Remedy: Pass \`--key-file\`, or use another folder (\`--dir\`).

### cannot write … (…)

Exit code 1, with the system's code.

- Cause: The folder is missing, not writable, or the disk is full.
- Remedy: Check path, rights and room.

### … is not a database in MaxMind's format (.mmdb): …

Exit code 2.

- Cause: The file has another format, or is damaged.
- Remedy: Download it again, unpacked.

### the mesh answered with a link or a join key that is not valid

Exit code 1.

- Cause: The server is not a mesh, or has another version.
- Remedy: Check the URL.

## Codes of the system

What the operating system reports; Muster shows the code in parentheses behind its own message.

### \`EACCES\`

In parentheses, behind what Muster could not do.

- Cause: The user that runs the command has no permission for the file, folder or port.
- Remedy: Change the permissions, or run the command as the owner. A port below 1024 needs a proxy in front, or a higher port.

### \`EPERM\`

In parentheses, behind what Muster could not do.

- Cause: The system does not allow the operation, whoever owns the file: an immutable file, a container without the right.
- Remedy: Change the permissions, or run the command as the owner.

### \`EROFS\`

In parentheses, behind what Muster could not do.

- Cause: The file system is mounted read-only.
- Remedy: Choose a path on another file system: \`--dir\`, \`--out\`.

### \`ENOSPC\`

In parentheses, behind what Muster could not do.

- Cause: The disk is full.
- Remedy: Free space on it. A mesh that runs answers 507 until then, and reads go on.

### \`EDQUOT\`

In parentheses, behind what Muster could not do.

- Cause: The disk quota of the user is used up.
- Remedy: Free space, or raise the quota.

### \`ENOENT\`

In parentheses, behind what Muster could not do.

- Cause: A part of the path does not exist.
- Remedy: Check the spelling; a path is relative to the folder in which the command runs.

### \`ENOTDIR\`

In parentheses, behind what Muster could not do.

- Cause: A part of the path is a file, and no folder.
- Remedy: Check the path.

### \`EISDIR\`

In parentheses, behind what Muster could not do.

- Cause: A folder is named where a file is meant.
- Remedy: Name a file.

### \`EEXIST\`

In parentheses, behind what Muster could not do.

- Cause: A file of this name exists, where a folder or a new file is to be made.
- Remedy: Choose another path.

### \`ELOOP\`

In parentheses, behind what Muster could not do.

- Cause: Symbolic links lead in a circle.
- Remedy: Choose another path, or mend the links.

### \`ENAMETOOLONG\`

In parentheses, behind what Muster could not do.

- Cause: The path, or a part of it, is longer than the system allows.
- Remedy: Choose a shorter path.

### \`EMFILE\`

In parentheses, behind what Muster could not do.

- Cause: The process has as many files and connections open as it may.
- Remedy: Raise the limit: \`ulimit -n\`, or \`LimitNOFILE=\` of a systemd unit.

### \`ENFILE\`

In parentheses, behind what Muster could not do.

- Cause: The whole system has as many files open as it may.
- Remedy: End other programs, or raise the limit of the system.

### \`EBUSY\`

In parentheses, behind what Muster could not do.

- Cause: Another program uses the file or folder.
- Remedy: Try again when that has ended.

### \`EIO\`

In parentheses, behind what Muster could not do.

- Cause: The disk reports an error.
- Remedy: Check the disk, and restore a backup onto another one.

### \`EADDRINUSE\`

In parentheses, behind what Muster could not do.

- Cause: Another program listens on this address and port.
- Remedy: End it, or choose another port: \`--port 0\` selects a free one.

### \`EADDRNOTAVAIL\`

In parentheses, behind what Muster could not do.

- Cause: The address is not one of this machine.
- Remedy: Listen on 127.0.0.1, 0.0.0.0 or an address that \`ip addr\` shows.

### \`ECONNREFUSED\`

In parentheses, behind what Muster could not do.

- Cause: Nothing listens at this host and port.
- Remedy: Check both, and that the mesh runs.

### \`ECONNRESET\`

In parentheses, behind what Muster could not do.

- Cause: The other side, or something between, has ended the connection.
- Remedy: Try again; if it happens each time, look at the log of the proxy in front of the mesh.

### \`ECONNABORTED\`

In parentheses, behind what Muster could not do.

- Cause: The connection was ended before it was used.
- Remedy: Try again.

### \`ETIMEDOUT\`

In parentheses, behind what Muster could not do.

- Cause: There was no answer in time.
- Remedy: Check host, port and firewalls.

### \`EHOSTUNREACH\`

In parentheses, behind what Muster could not do.

- Cause: No route leads to the host.
- Remedy: Check the network of this machine.

### \`ENETUNREACH\`

In parentheses, behind what Muster could not do.

- Cause: No route leads to the network of the address, often that of IPv6.
- Remedy: Check the network of this machine.

### \`ENOTFOUND\`

In parentheses, behind what Muster could not do.

- Cause: The host name does not exist.
- Remedy: Check its spelling.

### \`EAI_AGAIN\`

In parentheses, behind what Muster could not do.

- Cause: The name server does not answer.
- Remedy: Check the network, and try again.

### \`EPIPE\`

In parentheses, behind what Muster could not do.

- Cause: The other side has ended the connection, or the program that reads the output has ended.
- Remedy: Try again.

### \`EAGAIN\`

In parentheses, behind what Muster could not do.

- Cause: The system can't start another process.
- Remedy: End some, or raise the limit: \`ulimit -u\`.

### \`ENOMEM\`

In parentheses, behind what Muster could not do.

- Cause: The system has too little memory.
- Remedy: End other programs, or lower \`--slots\` and \`--memory\`.

### \`ENOEXEC\`

In parentheses, behind what Muster could not do.

- Cause: The file is not a program for this machine.
- Remedy: Install the program again, for this system and processor.

## Backup and restore

\`muster backup\` and \`muster restore\` name a code; the other messages are their own. [Backup](backup.md) explains both.

### \`backup_unknown\`

"this is no backup of Muster". Exit code 1.

- Cause: The file is another one, or its first line is damaged.
- Remedy: Check the path. A sealed backup begins with \`{"muster_sealed_backup"\`, another with \`{"muster_backup"\`.

### \`backup_newer\`

Exit code 1, with both versions.

- Cause: A newer Muster has made the backup.
- Remedy: Restore it with that version or a newer one.

### this backup has … cells: it can't be restored over HTTP

Exit code 1.

- Cause: The backup is of a mesh with several cells. Over HTTP only a mesh of one cell is exported and imported.
- Remedy: Restore it into a folder: \`muster restore FILE --dir FOLDER\`, and start the mesh with that folder.

### the mesh got another cell while it was backed up

Exit code 1.

- Cause: \`CELLS\` was raised while \`muster backup\` read the folder.
- Remedy: Make the backup again.

### messages between the cells are always on their way: there is no moment that a backup could show

Exit code 1.

- Cause: A backup of several cells shows them at one moment at which no message between them is on its way, and none came within the time that it waits. A cell may not answer, or too many tasks move.
- Remedy: \`muster cells\` shows the messages that wait, and a cell that does not answer. Make the backup when there is less to do, or stop the mesh first.

### \`backup_cut_off\`

Exit code 1.

- Cause: The end of the file is missing: the copy or the export broke off, or the disk was full.
- Remedy: Copy it again, or take another backup.

### \`backup_damaged\`

Exit code 1, with what does not fit.

- Cause: Bytes of the file were changed.
- Remedy: Copy it again, or take another backup. Nothing was restored.

### \`backup_sealed_otherwise\`

Exit code 1.

- Cause: The backup is sealed, and the passphrase or the key is missing or another one; or its beginning is damaged.
- Remedy: Pass \`--passphrase-file\` or \`--key-file\`, as it was sealed.

### … was written by Muster … (schema version …); this is Muster … (schema version …)

Exit code 1.

- Cause: A newer version has written the folder. Nothing was changed in it.
- Remedy: Start the newer version, or restore a backup that the older one has made into another folder.

### … has neither … nor …, so the key of the mesh is not known

Exit code 1.

- Cause: The mesh gets its secrets from elsewhere, and has not been started in this folder.
- Remedy: Start it once, then make the backup.

### … is a whole backup, and it is not sealed: nobody needs a passphrase or a key to read it

Exit code 1.

- Cause: \`backup --verify\` was given a passphrase or a key, and the file is not sealed.
- Remedy: Make a sealed backup. To check this one, leave the option out.

### … was changed while it was read

Exit code 1.

- Cause: \`restore --url\` reads the file twice, and found other content the second time.
- Remedy: Run the command again.

### the mesh has the state …, the backup states …

Exit code 1.

- Cause: The mesh at the URL answered the commit of an import with another state hash.
- Remedy: Check that \`--url\` names the right mesh, and run the command again.

### … is not empty: a mesh is restored into an empty folder only

Exit code 1.

- Cause: The folder of \`--dir\` has something in it, perhaps a mesh. It was not touched.
- Remedy: Choose another \`--dir\`, or move the folder away.

### this backup does not have the secrets of the mesh, without which its peers do not know it

Exit code 1. Nothing was restored.

- Cause: The backup is not sealed, was made with \`--no-secrets\` or from a URL.
- Remedy: Pass a copy of the \`secrets.env\` of the mesh with \`--secrets-file\`.

### these are the secrets of another mesh: their key is …, that of the backup …

Exit code 1. Nothing was restored.

- Cause: \`--secrets-file\` belongs to another mesh, or the mesh has rotated its key.
- Remedy: Pass the secrets of the mesh that was backed up.

### this command reads SQLite files, for which Node … is too old

Exit code 1.

- Cause: The SQLite of Node itself is missing before Node 22.13.
- Remedy: Use Node 22.13 or newer, or Node 24.

### the mesh was upgraded while it was backed up

Exit code 1. No file was written.

- Cause: A newer version has migrated the database meanwhile.
- Remedy: Run the command again.

### the disk is full: … was not written

Exit code 1. No file was written.

- Cause: There is no room for the backup.
- Remedy: Free space, or choose another \`--out\`.

### the disk is full: nothing was restored

Exit code 1.

- Cause: There is no room for the restored mesh.
- Remedy: Free space and run the command again.
`;
