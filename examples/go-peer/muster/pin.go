package muster

import (
	"context"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
)

// pin is what the peer knows about the mesh's key. It is kept in a file, if there is one.
type pin struct {
	mu   sync.Mutex
	path string
	pinned
}

type pinned struct {
	// Given is the key that the operator gave, or "" for trust on first use.
	Given string `json:"given"`
	// Current is the key that the mesh must prove: at first the given one, later what the mesh has announced.
	Current string `json:"public_key"`
	// Next is the key that the mesh has announced over a session, if it is changing its key.
	Next string `json:"next_public_key,omitempty"`
}

// loadPin reads the stored key. A key that the operator gives counts for more than a stored one that came from elsewhere.
func loadPin(path, given string) (*pin, error) {
	p := &pin{path: path}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil && json.Unmarshal(text, &p.pinned) != nil {
			return nil, fmt.Errorf("%s is not a stored mesh key", path)
		}
	}
	switch given {
	case "", p.Given: // the stored key is this one, or has followed it
	case p.Current:
		p.Given = given
	default:
		p.pinned = pinned{Given: given, Current: given}
	}
	return p, nil
}

// key is the key that the mesh must prove. Without one the mesh is asked for it: trust on first use.
func (p *pin) key(ctx context.Context, client *http.Client, address Address) (*ecdh.PublicKey, error) {
	p.mu.Lock()
	current := p.Current
	p.mu.Unlock()
	if current == "" {
		asked, err := askForKey(ctx, client, address)
		if err != nil {
			return nil, fmt.Errorf("asking the mesh for its key: %w", err)
		}
		current = asked
	}
	return parsePublicKey(current)
}

// known says whether the key was given, or proved before.
func (p *pin) known() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Current != ""
}

func askForKey(ctx context.Context, client *http.Client, address Address) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.at("/v1/mesh"), nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", errors.New(response.Status)
	}
	var answer struct {
		PublicKey string `json:"public_key"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer)
	return answer.PublicKey, err
}

// proved stores a key that a handshake has proved.
func (p *pin) proved(key *ecdh.PublicKey) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Current == hexOf(key) {
		return nil
	}
	p.Current = hexOf(key)
	return p.store()
}

// announced stores the key to which the mesh is changing. An empty text says that it is not changing its key.
func (p *pin) announced(next string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := parsePublicKey(next); next == p.Next || (next != "" && err != nil) {
		return nil
	}
	p.Next = next
	return p.store()
}

// takeNext makes the announced key the current one, and says whether there was one.
func (p *pin) takeNext() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Next == "" {
		return false, nil
	}
	p.Current, p.Next = p.Next, ""
	return true, p.store()
}

// store writes the file by a rename, so that a crash leaves the old text or the new one.
func (p *pin) store() error {
	if p.path == "" {
		return nil
	}
	text, err := json.Marshal(p.pinned)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(p.path+".new", p.path)
}
