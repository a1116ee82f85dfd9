// Package muster is a worker peer of a Muster mesh, written from docs/protocol.md.
//
// It speaks muster.2: one WebSocket, the handshake Noise_XX_25519_ChaChaPoly_SHA256, then one encrypted JSON message per
// binary frame. The files, from the bottom up:
//
//   - keys.go, pin.go, address.go, clock.go: the peer's key, the mesh's key, its URL, its time
//   - proof.go, noise.go, frames.go: the bytes of connecting, of the handshake, and of the session
//   - messages.go, allowance.go: the envelope and the payloads, and how many messages a peer may send
//   - dial.go, session.go: one connection, from the dial to its end
//   - worker.go, offers.go, run.go, results.go, replies.go: tasks, which outlive a connection
//   - upload.go, seal.go: results that are too large for a message, and results for one reader
//   - ending.go, backoff.go, peer.go: what follows the end of a connection, and the loop around all of this
package muster
