// Borg's own STMF for the interoperability tests. Containers are in base64, forms in Borg's JSON.
//
//	stmf open PRIVATE_KEY     container on standard input -> form
//	stmf seal PUBLIC_KEY      form on standard input -> container
//	stmf info                 container on standard input -> what it says of itself
//	stmf post PUBLIC_KEY URL  form on standard input, posted sealed, urlencoded and in parts -> the answers
//	stmf serve PRIVATE_KEY    a server behind Borg's middleware: prints its address, answers with the fields it saw
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/Snider/Borg/pkg/stmf"
	"github.com/Snider/Borg/pkg/stmf/middleware"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func key(text string) []byte { return must(base64.StdEncoding.DecodeString(text)) }

func input() []byte { return must(io.ReadAll(os.Stdin)) }

func print(value any) { fmt.Println(string(must(json.Marshal(value)))) }

func seal(publicKey string) string {
	var form stmf.FormData
	if err := json.Unmarshal(input(), &form); err != nil {
		log.Fatal(err)
	}
	return must(stmf.EncryptBase64(&form, key(publicKey)))
}

func answerOf(response *http.Response, err error) json.RawMessage {
	defer must(response, err).Body.Close()
	return must(io.ReadAll(response.Body))
}

func post(publicKey, target string) {
	payload := seal(publicKey)
	var parts bytes.Buffer
	writer := multipart.NewWriter(&parts)
	if err := writer.WriteField(stmf.DefaultFieldName, payload); err != nil {
		log.Fatal(err)
	}
	writer.Close()
	print([]json.RawMessage{
		answerOf(http.PostForm(target, url.Values{stmf.DefaultFieldName: {payload}})),
		answerOf(http.Post(target, writer.FormDataContentType(), &parts)),
	})
}

func serve(privateKey string) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"form": r.PostForm, "meta": middleware.GetMetadata(r)}
		w.Write(must(json.Marshal(answer)))
	})
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Printf("http://%s\n", listener.Addr())
	go http.Serve(listener, middleware.Simple(key(privateKey))(echo))
	input() // until standard input ends
}

func main() {
	arguments := os.Args[1:]
	switch arguments[0] {
	case "open":
		print(must(stmf.DecryptBase64(string(input()), key(arguments[1]))))
	case "seal":
		fmt.Println(seal(arguments[1]))
	case "info":
		container := key(string(input()))
		if err := stmf.ValidatePayload(container); err != nil {
			log.Fatal(err)
		}
		print(must(stmf.GetPayloadInfo(container)))
	case "post":
		post(arguments[1], arguments[2])
	case "serve":
		serve(arguments[1])
	}
}
