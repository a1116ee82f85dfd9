module example.com/go-peer

go 1.24.0

require (
	github.com/coder/websocket v1.8.15
	golang.org/x/crypto v0.45.0
)

require golang.org/x/sys v0.38.0 // indirect
