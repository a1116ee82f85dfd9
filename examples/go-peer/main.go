// Command go-peer is a worker of a Muster mesh. README.md says how to start it; the package muster beside it is the peer,
// and handlers.go is the work that it does.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"example.com/go-peer/muster"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg, err := configFrom(os.Getenv)
	if err != nil {
		log.Error("the peer can't start", "error", err)
		os.Exit(2)
	}
	cfg.Handlers = chosen(handlers(), os.Getenv("MUSTER_KINDS"))
	cfg.Log = log
	peer, err := muster.New(cfg)
	if err != nil {
		log.Error("the peer can't start", "error", err)
		os.Exit(2)
	}
	log.Info("starting", "peer", peer.ID())

	// The first signal makes the peer drain. After it the default holds again: a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	if err := peer.Run(ctx); err != nil {
		log.Error("the peer stops", "error", err)
		os.Exit(1)
	}
	log.Info("the peer has left")
}
