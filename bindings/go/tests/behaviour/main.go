// Checks the promises of package streams, with a server and clients in one program: deadlines, closing, cancelling,
// errors, Go's timers, and memory under load.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/command"
)

func init() { command.Main(run) }
func main() {}

// check ends the test and prints the place of the call.
func check(holds bool, what ...any) {
	if holds {
		return
	}
	_, file, line, _ := runtime.Caller(1)
	panic(fmt.Sprintf("%s:%d: %v", file, line, what))
}

func run() error {
	if len(os.Args) > 1 {
		return ask(os.Args[1])
	}
	listener, err := streams.Listen("tcp", "127.0.0.1:0")
	check(err == nil, err)
	go serve(listener)
	address := listener.Addr().String()
	for _, test := range []func(string){echo, readDeadline, deadlineMoved, writeDeadline, closing, halfClose, contexts, timers,
		manyAtOnce, waits, lines, large} {
		test(address)
	}
	mistakes()
	check(listener.Close() == nil)
	_, err = listener.Accept()
	check(errors.Is(err, net.ErrClosed), err)
	check(errors.Is(listener.Close(), net.ErrClosed))
	acceptDeadline()
	fmt.Println("all well")
	return nil
}

// ask sends questions in two parts, which a peer receives as one segment each. Its answers are one byte.
func ask(address string) error {
	conn := dial(address)
	defer conn.Close()
	answer := make([]byte, 1)
	for range 10 {
		io.WriteString(conn, "ask ")
		io.WriteString(conn, "now\n")
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
	}
	return nil
}

// serve echoes all input; a client that begins with "deaf" is never read again.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			r := bufio.NewReader(conn)
			if start, _ := r.Peek(4); string(start) == "deaf" {
				time.Sleep(time.Hour)
			}
			io.Copy(conn, r)
		}()
	}
}

func dial(address string) net.Conn {
	conn, err := streams.Dial("tcp", address)
	check(err == nil, err)
	return conn
}

func echo(address string) {
	conn := dial(address)
	defer conn.Close()
	check(conn.RemoteAddr().String() == address, conn.RemoteAddr())
	check(conn.LocalAddr().(*net.TCPAddr).IP.IsLoopback())
	fmt.Fprintf(conn, "hello\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	check(err == nil && line == "hello\n", line, err)
	n, err := conn.Read(nil)
	check(n == 0 && err == nil, err)
}

func readDeadline(address string) {
	conn := dial(address)
	defer conn.Close()
	began := time.Now()
	conn.SetReadDeadline(began.Add(30 * time.Millisecond))
	_, err := conn.Read(make([]byte, 10))
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
	var timeout net.Error
	check(errors.As(err, &timeout) && timeout.Timeout(), err)
	check(time.Since(began) >= 30*time.Millisecond && time.Since(began) < 10*time.Second)
	_, err = conn.Read(make([]byte, 10))
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
	conn.SetReadDeadline(time.Time{})
	io.WriteString(conn, "kept")
	got := make([]byte, 4)
	_, err = io.ReadFull(conn, got)
	check(err == nil && string(got) == "kept", err)
}

// A deadline that is set, moved later or earlier affects a pending read.
func deadlineMoved(address string) {
	conn := dial(address)
	defer conn.Close()
	failed := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		failed <- err
	}()
	time.Sleep(time.Millisecond)
	conn.SetDeadline(time.Now().Add(20 * time.Millisecond))
	conn.SetDeadline(time.Now().Add(time.Hour))
	select {
	case err := <-failed:
		check(false, err)
	case <-time.After(60 * time.Millisecond):
	}
	conn.SetDeadline(time.Unix(1, 0))
	err := <-failed
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
}

func writeDeadline(address string) {
	conn := dial(address)
	defer conn.(*streams.Conn).Abort()
	much := make([]byte, 64<<20)
	_, err := io.WriteString(conn, "deaf")
	check(err == nil, err)
	conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	n, err := conn.Write(much)
	check(errors.Is(err, os.ErrDeadlineExceeded) && n < len(much), n, err)
}

func closing(address string) {
	conn := dial(address)
	failed := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		failed <- err
	}()
	time.Sleep(time.Millisecond)
	check(conn.Close() == nil)
	err := <-failed
	check(errors.Is(err, net.ErrClosed), err)
	_, err = conn.Write([]byte("x"))
	check(errors.Is(err, net.ErrClosed), err)
	_, err = conn.Read(make([]byte, 1))
	check(errors.Is(err, net.ErrClosed), err)
	check(errors.Is(conn.Close(), net.ErrClosed))
	check(conn.RemoteAddr().String() == ":0", conn.RemoteAddr())
}

func halfClose(address string) {
	conn := dial(address)
	defer conn.Close()
	io.WriteString(conn, "to the end")
	check(conn.(*streams.Conn).CloseWrite() == nil)
	all, err := io.ReadAll(conn)
	check(err == nil && string(all) == "to the end", err)
	_, err = conn.Write([]byte("x"))
	var failure *streams.Error
	check(errors.As(err, &failure) && failure.Kind() == "write-after-eof", err)
}

func contexts(address string) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := new(streams.Dialer).DialContext(ctx, "tcp", address)
	check(errors.Is(err, context.Canceled), err)
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	check(errors.Is(ctx.Err(), context.DeadlineExceeded))
	// An address for documentation, which never answers. Hosts without a route fail at once.
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = new(streams.Dialer).DialContext(ctx, "tcp", "127.0.0.1:1")
	check(err != nil && !errors.Is(err, net.ErrClosed), err)
}

// Timers run even while no network call is pending.
func timers(string) {
	began := time.Now()
	time.Sleep(20 * time.Millisecond)
	check(time.Since(began) >= 20*time.Millisecond)
	late := time.AfterFunc(time.Hour, func() { panic("an hour has passed") })
	defer late.Stop()
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for range 20 {
		<-ticks.C
	}
	check(time.Since(began) < 20*time.Second)
	var mu sync.Mutex
	mu.Lock()
	go func() { time.Sleep(time.Millisecond); mu.Unlock() }()
	mu.Lock()
}

func manyAtOnce(address string) {
	var group sync.WaitGroup
	for i := range 100 {
		group.Add(1)
		go func() {
			defer group.Done()
			conn := dial(address)
			defer conn.Close()
			r := bufio.NewReader(conn)
			for n := range 20 {
				want := fmt.Sprintf("%d of %d\n", n, i)
				io.WriteString(conn, want)
				got, err := r.ReadString('\n')
				check(err == nil && got == want, got, err)
			}
		}()
	}
	group.Wait()
}

// Many waits, of which nothing stays in memory.
func waits(address string) {
	conn := dial(address)
	defer conn.Close()
	held := func() uint64 {
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	got := make([]byte, 4)
	before := uint64(0)
	for n := range 21_000 {
		if n == 1_000 {
			before = held()
		}
		io.WriteString(conn, "ping")
		_, err := io.ReadFull(conn, got)
		check(err == nil, err)
	}
	after := held()
	check(after < before+512<<10, before, after)
}

// Many lines, with garbage collection in between, and a heap that stays flat.
func lines(address string) {
	conn := dial(address).(*streams.Conn)
	defer conn.Close()
	const count = 100_000
	go func() {
		w := bufio.NewWriter(conn)
		for n := range count {
			fmt.Fprintf(w, "line %d\n", n)
		}
		w.Flush()
		conn.CloseWrite()
	}()
	var after runtime.MemStats
	for n := range count {
		line, err := conn.ReadLine()
		check(err == nil && string(line) == fmt.Sprintf("line %d\n", n), string(line), err)
	}
	_, err := conn.ReadLine()
	check(err == io.EOF, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	check(after.HeapAlloc < 16<<20, after.HeapAlloc)
	taken(address)
	dialer := streams.Dialer{Options: streams.Options{Limit: 10}}
	short, err := dialer.Dial("tcp", address)
	check(err == nil, err)
	defer short.Close()
	io.WriteString(short, strings.Repeat("x", 100)+"\n")
	_, err = short.(*streams.Conn).ReadLine()
	var failure *streams.Error
	check(errors.As(err, &failure) && failure.Kind() == "limit-overrun", err)
}

// Lines that were taken together are bytes of the connection like others.
func taken(address string) {
	conn := dial(address).(*streams.Conn)
	io.WriteString(conn, "one\ntwo\nthree\nfour\n")
	// The echo may arrive in pieces, so each step must hold for any of them.
	line, err := conn.ReadLine()
	check(err == nil && string(line) == "one\n", string(line), err)
	conn.SetReadDeadline(time.Unix(1, 0))
	_, err = conn.ReadLine()
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
	var two [2]byte
	_, err = conn.Read(two[:])
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
	conn.SetReadDeadline(time.Time{})
	_, err = io.ReadFull(conn, two[:])
	check(err == nil && string(two[:]) == "tw", string(two[:]), err)
	for _, want := range []string{"o\n", "three\n"} {
		line, err = conn.ReadLine()
		check(err == nil && string(line) == want, string(line), err)
	}
	conn.Close()
	_, err = conn.ReadLine()
	check(errors.Is(err, net.ErrClosed), err)
}

func large(address string) {
	conn := dial(address)
	defer conn.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	go func() { conn.Write(sent); conn.(*streams.Conn).CloseWrite() }()
	got, err := io.ReadAll(conn)
	check(err == nil && bytes.Equal(got, sent), len(got), err)
}

func mistakes() {
	for address, want := range map[string]string{
		"127.0.0.1":      "it must be host:port",
		"127.0.0.1:http": "must be a number up to 65535",
		"127.0.0.1:0":    "invalid-argument",
		"127.0.0.1:1":    "dial tcp: connect to 127.0.0.1:1: ",
		"a\x1b[2Jb\n:80": `a\u{1b}[2Jb\u{a}:80`,
	} {
		_, err := streams.Dial("tcp", address)
		check(err != nil && strings.Contains(err.Error(), want) && !strings.ContainsAny(err.Error(), "\n\x1b"), err)
	}
	_, err := streams.Dial("tcp", "127.0.0.1:1")
	check(errors.Is(err, syscall.ECONNREFUSED), err)
	_, err = streams.Dial("udp", "127.0.0.1:1")
	check(err != nil && strings.Contains(err.Error(), "unknown network udp"), err)
	_, err = (&streams.Dialer{TLS: &streams.ClientTLS{}}).Dial("tcp", "127.0.0.1:1")
	check(errors.Is(err, errors.ErrUnsupported), err)
}

func acceptDeadline() {
	listener, err := streams.Listen("tcp", "127.0.0.1:0")
	check(err == nil, err)
	listener.SetDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = listener.Accept()
	check(errors.Is(err, os.ErrDeadlineExceeded), err)
	listener.SetDeadline(time.Time{})
	go func() { time.Sleep(time.Millisecond); listener.Close() }()
	_, err = listener.Accept()
	check(errors.Is(err, net.ErrClosed), err)
}
