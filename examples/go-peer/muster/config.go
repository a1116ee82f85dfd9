package muster

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Config says who the peer is and what it does.
type Config struct {
	Address Address
	// Key is the peer's identity.
	Key *ecdh.PrivateKey
	// PinFile keeps the mesh's key. Empty: it is kept in memory, so each process trusts the mesh anew if nothing is pinned.
	PinFile string
	// Name is shown to people.
	Name string
	// Labels say what the peer has, such as gpu or memory_gib=32. Tasks may require them.
	Labels []string
	// Handlers has a handler for each kind of task. The one for "*" handles every other kind.
	Handlers map[string]Handler
	// Slots is how many tasks run at the same time: 1 to 63. A peer with more has to limit what it sends (see "Limits" in
	// docs/protocol.md), which this one does not.
	Slots int
	// Prefetch lets one more task wait here, so that a slot that becomes free is used at once.
	Prefetch bool
	// DrainLimit is how long running tasks may take once the peer has to leave.
	DrainLimit time.Duration
	// Client names the program and its version, for people.
	Client string
	Log    *slog.Logger
}

var (
	nameForm  = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9_ -]{0,62}[A-Za-z0-9])?)?$`)
	labelForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,63}$`)
	kindForm  = regexp.MustCompile(`^(\*|[A-Za-z0-9][A-Za-z0-9._/-]{0,63})$`)
)

// mostHello is what a hello may have before the attempts that it holds: 40 of those have less than 4,000 bytes.
const mostHello = maxHandshakeFrame - 64 - 4000

func (c *Config) check() error {
	switch {
	case c.Key == nil:
		return errors.New("the peer has no key")
	case !nameForm.MatchString(c.Name):
		return fmt.Errorf("%q is no name: 1 to 64 letters, digits, -, _ and spaces", c.Name)
	case c.Slots < 1 || c.Slots > 63:
		return errors.New("a peer has 1 to 63 slots")
	case len(c.Labels) > 32 || slices.ContainsFunc(c.Labels, func(l string) bool { return !labelForm.MatchString(l) }):
		return errors.New("a peer has at most 32 labels, such as gpu or memory_gib=32")
	case len(c.Handlers) == 0 || len(c.Handlers) > 64:
		return errors.New("a peer handles 1 to 64 kinds")
	case c.Address.JoinKey != "" && c.Address.MeshKey == "":
		return errors.New("a join key is sent only to a mesh whose key is pinned")
	case len(c.Client) > 100 || len(c.Address.JoinKey) > 200:
		return errors.New("the client or the join key is too long")
	}
	for kind := range c.Handlers {
		if !kindForm.MatchString(kind) {
			return fmt.Errorf("%q is no kind of task", kind)
		}
	}
	if text, err := marshal(c.hello()); err != nil || len(text) > mostHello {
		return errors.New("the labels and kinds are too long for the hello")
	}
	return nil
}

func (c *Config) hello() hello {
	return hello{
		Name: c.Name, Role: "worker", Capabilities: append([]string{}, c.Labels...),
		Kinds: slices.Sorted(maps.Keys(c.Handlers)), Slots: c.Slots, Prefetch: c.Prefetch,
		// Never absent: an empty list says that this process holds nothing of what an earlier one began.
		Held: []attemptRef{}, JoinKey: c.Address.JoinKey, Client: c.Client,
	}
}

func (c *Config) handler(kind string) Handler {
	if handler, ok := c.Handlers[kind]; ok {
		return handler
	}
	return c.Handlers["*"]
}
