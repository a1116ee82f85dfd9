// Seals and opens STIM containers with Borg's own code, as a go-p2p node does with the bundles of a deploy. Reads one JSON
// request per line from standard input, and prints one JSON answer per line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/Snider/Borg/pkg/datanode"
	"github.com/Snider/Borg/pkg/tim"
)

type contents struct {
	Config []byte            `json:"config"`
	Files  map[string][]byte `json:"files"`
}

type request struct {
	Password string    `json:"password"`
	Seal     *contents `json:"seal,omitempty"`
	Open     []byte    `json:"open,omitempty"`
}

type answer struct {
	Sealed []byte    `json:"sealed,omitempty"`
	Opened *contents `json:"opened,omitempty"`
	Error  string    `json:"error,omitempty"`
}

func seal(plain contents, password string) ([]byte, error) {
	node := datanode.New()
	for name, content := range plain.Files {
		node.AddData(name, content)
	}
	matrix, err := tim.FromDataNode(node)
	if err != nil {
		return nil, err
	}
	if plain.Config != nil {
		matrix.Config = plain.Config
	}
	return matrix.ToSigil(password)
}

func open(sealed []byte, password string) (*contents, error) {
	matrix, err := tim.FromSigil(sealed, password)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = matrix.RootFS.Walk(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		content, err := fs.ReadFile(matrix.RootFS, path)
		files[path] = content
		return err
	})
	return &contents{Config: matrix.Config, Files: files}, err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		var said answer
		var err error
		if asked.Seal != nil {
			said.Sealed, err = seal(*asked.Seal, asked.Password)
		} else {
			said.Opened, err = open(asked.Open, asked.Password)
		}
		if err != nil {
			said.Error = err.Error()
		}
		written, err := json.Marshal(said)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(written))
	}
}
