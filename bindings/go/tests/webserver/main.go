// A web server and its client, both stock net/http, over the connections of package streams; with TLS if the variables
// CERT, KEY and ROOTS hold a certificate for 127.0.0.1 and its authority.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/command"
)

func init() { command.Main(run) }
func main() {}

func run() error {
	var config streams.ListenConfig
	var dialer streams.Dialer
	if cert := os.Getenv("CERT"); cert != "" {
		config.TLS = &streams.ServerTLS{Certificate: []byte(cert), Key: []byte(os.Getenv("KEY"))}
		dialer.TLS = &streams.ClientTLS{RootCAs: []byte(os.Getenv("ROOTS")), NoBuiltInRoots: true}
	}
	listener, err := config.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 30 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, len(body))
	})}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()

	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext}}
	url := "http://" + listener.Addr().String()
	for _, length := range []int{0, 1, 1 << 20} {
		response, err := client.Post(url+"/some/path", "text/plain", strings.NewReader(strings.Repeat("x", length)))
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if want := fmt.Sprintf("POST /some/path %d", length); err != nil || string(body) != want {
			return fmt.Errorf("%q instead of %q: %v", body, want, err)
		}
	}
	client.CloseIdleConnections()
	if err := byHand(&dialer, listener.Addr()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	if err := <-served; err != http.ErrServerClosed {
		return err
	}
	fmt.Println("all well")
	return nil
}

// byHand reads an answer with http.ReadResponse.
func byHand(dialer *streams.Dialer, address net.Addr) error {
	conn, err := dialer.Dial("tcp", address.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /by-hand HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "GET /by-hand 0" {
		return fmt.Errorf("%q: %v", body, err)
	}
	return nil
}
