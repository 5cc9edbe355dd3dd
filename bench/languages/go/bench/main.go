// The peer in Go: lines, and messages there and back, as client and as server.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/command"
)

func init() { command.Main(run) }
func main() {}

// run does `client KIND ADDRESS SIZE CONNECTIONS WARM-UP MEASURED` or `server echo ADDRESS`. A client has one connection.
func run() error {
	words := os.Args[1:]
	switch {
	case len(words) == 7 && words[0] == "client" && words[4] == "1":
		return client(words[1], words[2], words[3], words[5:])
	case len(words) == 3 && words[0] == "server" && words[1] == "echo":
		return serve(words[2])
	}
	return errors.New("this is no order, or one for more than one connection")
}

func client(kind, address, bytesOfMessage string, times []string) error {
	size, err := strconv.Atoi(bytesOfMessage)
	if err != nil {
		return err
	}
	var periods [2]time.Duration
	for i, text := range times {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		periods[i] = time.Duration(n) * time.Millisecond
	}
	conn, err := streams.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	m := &meter{stride: 16, warmup: periods[0], measured: periods[1], since: time.Now()}
	switch kind {
	case "lines":
		m.stride = 1000
		err = lines(conn.(*streams.Conn), m)
	case "echo":
		err = echo(conn, bytes.Repeat([]byte("x"), size), m)
	default:
		err = fmt.Errorf("%q is no work of this peer", kind)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d in %d ns\n", m.count, m.elapsed.Nanoseconds())
	return nil
}

func lines(conn *streams.Conn, m *meter) error {
	for m.goOn() {
		if _, err := conn.ReadLine(); err != nil {
			return err
		}
	}
	return nil
}

func echo(conn net.Conn, message []byte, m *meter) error {
	answer := make([]byte, len(message))
	for m.goOn() {
		if _, err := conn.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
	}
	return nil
}

func serve(address string) error {
	listener, err := streams.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			// The failure of one client does not end the server.
			io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}, make([]byte, 64<<10))
		}()
	}
}

// A meter counts after the warm-up, and ends when the time is up.
type meter struct {
	stride, calls, count uint64
	warmup, measured     time.Duration
	since                time.Time
	elapsed              time.Duration
	measuring            bool
}

// goOn counts one operation, and returns whether to continue.
func (m *meter) goOn() bool {
	m.count++
	m.calls++
	if m.calls%m.stride != 0 {
		return true
	}
	elapsed := time.Since(m.since)
	if !m.measuring && elapsed >= m.warmup {
		m.measuring, m.count, m.since = true, 0, time.Now()
	} else if m.measuring && elapsed >= m.measured {
		m.elapsed = elapsed
		return false
	}
	return true
}
