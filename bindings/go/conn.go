// Package streams gives components that run Go connections of asyncio:streams in the shape of Go's package net.
//
// A [Conn] is a net.Conn, a [Listener] a net.Listener: bufio, net/textproto and net/http work over them unchanged. A
// program is a component by package command, a handler for serve.wasm by package handler; both begin in an init
// function, and connections can be made from then on.
//
// Goroutines, channels, timers, contexts and deadlines are Go's own. Everything runs on one thread: a goroutine that
// computes without waiting holds up all others.
package streams

import (
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
	"asyncio-streams/internal/wit/types"
)

// The most bytes that one call takes, below what may be queued or be one result by default.
const chunk = 1 << 20

// A Conn is a connection. It is safe for use by many goroutines; reads wait for each other, and so do writes.
//
// One that is neither closed nor referred to is closed by the garbage collector.
type Conn struct {
	reader *asyncio_streams_streams.Reader
	writer *asyncio_streams_streams.Writer

	reading, writing sync.Mutex
	readBy, writeBy  deadline

	mu     sync.Mutex
	closed bool
}

var _ net.Conn = (*Conn)(nil)

// FromParts makes a Conn of the two sides of a connection. For package handler.
func FromParts(reader *asyncio_streams_streams.Reader, writer *asyncio_streams_streams.Writer) *Conn {
	return &Conn{reader: reader, writer: writer}
}

// Read reads what is there, up to len(p) bytes, and waits for the first. io.EOF is the peer's end; a lost connection is
// an *Error. A deadline that passes gives os.ErrDeadlineExceeded and takes nothing.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	want := wit_types.Some(uint32(min(len(p), chunk)))
	bytes, err := c.read("read", func() wit_types.Result[[]uint8, asyncio_streams_types.Error] { return c.reader.Read(want) })
	return copy(p, bytes), err
}

// ReadLine reads a line with its '\n', which the last one may lack; io.EOF after it. It is faster than a bufio.Reader,
// with which it must not be mixed. A line longer than Dialer.Limit or ListenConfig.Limit is an error, and stays.
func (c *Conn) ReadLine() ([]byte, error) {
	return c.read("read", func() wit_types.Result[[]uint8, asyncio_streams_types.Error] {
		if x := c.reader.TryReadline(); x.IsOk() && x.Ok().IsSome() {
			return wit_types.Ok[[]uint8, asyncio_streams_types.Error](x.Ok().Some())
		}
		return c.reader.Readline()
	})
}

// read makes a read of which an empty result is the end.
func (c *Conn) read(op string, call func() wit_types.Result[[]uint8, asyncio_streams_types.Error]) ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	// Collected during the call, the reader would be dropped, which would trap.
	defer runtime.KeepAlive(c)
	for {
		if c.isClosed() {
			return nil, c.fail(op, net.ErrClosed)
		}
		if !c.readBy.begin(c.reader.Cancel) {
			return nil, c.fail(op, os.ErrDeadlineExceeded)
		}
		x := call()
		c.readBy.end()
		switch {
		case x.IsOk() && len(x.Ok()) == 0:
			return nil, io.EOF
		case x.IsOk():
			return x.Ok(), nil
		case x.Err().Tag() != asyncio_streams_types.Error_Cancelled:
			return nil, c.fail(op, newError(x.Err()))
		}
		// Cancelled by a deadline, which may have been put off since.
	}
}

// Write queues all of p, and waits while more is queued than the marks allow. nil does not mean that the peer has it.
// With an error it returns how many bytes were queued, which may still go out.
func (c *Conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	defer runtime.KeepAlive(c)
	for n := 0; ; {
		if c.isClosed() {
			return n, c.fail("write", net.ErrClosed)
		}
		if c.writeBy.passed() {
			return n, c.fail("write", os.ErrDeadlineExceeded)
		}
		piece := p[n:min(len(p), n+chunk)]
		if x := c.writer.Write(piece); x.IsErr() {
			return n, c.fail("write", newError(x.Err()))
		}
		n += len(piece)
		if err := c.drain(); err != nil {
			return n, err
		}
		if n == len(p) {
			return n, nil
		}
	}
}

func (c *Conn) drain() error {
	for {
		if x := c.writer.TryDrain(); x.IsErr() {
			return c.fail("write", newError(x.Err()))
		} else if x.Ok() {
			return nil
		}
		if !c.writeBy.begin(func() { c.writer.Cancel(asyncio_streams_streams.Waits_Drain) }) {
			return c.fail("write", os.ErrDeadlineExceeded)
		}
		x := c.writer.Drain()
		c.writeBy.end()
		if x.IsOk() {
			return nil
		}
		if x.Err().Tag() != asyncio_streams_types.Error_Cancelled {
			return c.fail("write", newError(x.Err()))
		}
	}
}

// CloseWrite ends the output: the peer sees the end after what was written. Reading goes on.
func (c *Conn) CloseWrite() error {
	defer runtime.KeepAlive(c)
	if c.isClosed() {
		return c.fail("close", net.ErrClosed)
	}
	if x := c.writer.WriteEof(); x.IsErr() {
		return c.fail("close", newError(x.Err()))
	}
	return nil
}

// What is being closed while the program goes on.
var closing sync.WaitGroup

// Wait waits until every connection that was closed has sent what it had, or failed to. Package command calls it at the
// end of a program.
func Wait() {
	closing.Wait()
	asyncio_streams_streams.Linger()
}

// Close closes the connection: what was written still goes out, without Close waiting for it, for Dialer.CloseTimeout
// or ListenConfig.CloseTimeout at most. A pending Read or Write ends with net.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.writer.Close()
	closing.Add(1)
	go func() {
		defer closing.Done()
		// A pending call must have ended before its side is dropped, or that would trap.
		c.reading.Lock()
		c.reader.Drop()
		c.reading.Unlock()
		c.writing.Lock()
		c.writer.WaitClosed()
		c.writer.Drop()
		c.writing.Unlock()
	}()
	return nil
}

// Abort ends the connection at once and drops what was not sent yet.
func (c *Conn) Abort() error {
	c.mu.Lock()
	if !c.closed {
		c.writer.Abort()
	}
	c.mu.Unlock()
	return c.Close()
}

func (c *Conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// SetDeadline sets both deadlines. A time that has passed ends pending calls; the zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline sets the deadline of reads, pending ones included.
func (c *Conn) SetReadDeadline(t time.Time) error { c.readBy.set(t); return nil }

// SetWriteDeadline sets the deadline of writes, pending ones included.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.writeBy.set(t); return nil }

// LocalAddr is a *net.TCPAddr; empty after Close.
func (c *Conn) LocalAddr() net.Addr { return c.address((*asyncio_streams_streams.Writer).Sockname) }

// RemoteAddr is a *net.TCPAddr; empty after Close.
func (c *Conn) RemoteAddr() net.Addr { return c.address((*asyncio_streams_streams.Writer).Peername) }

func (c *Conn) address(of func(*asyncio_streams_streams.Writer) wit_types.Option[asyncio_streams_types.Address]) net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		if x := of(c.writer); x.IsSome() {
			return tcpAddr(x.Some())
		}
	}
	return &net.TCPAddr{}
}

func tcpAddr(a asyncio_streams_types.Address) *net.TCPAddr {
	if a.Tag() != asyncio_streams_types.Address_Inet {
		return &net.TCPAddr{}
	}
	inet := a.Inet()
	ip, _ := netip.ParseAddr(inet.Host)
	addr := &net.TCPAddr{IP: ip.AsSlice(), Port: int(inet.Port)}
	if inet.ScopeId != 0 {
		addr.Zone = strconv.FormatUint(uint64(inet.ScopeId), 10)
	}
	return addr
}

func (c *Conn) fail(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
