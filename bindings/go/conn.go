// Package streams provides connections of asyncio:streams with the types of Go's package net, for components in Go.
//
// A [Conn] is a net.Conn, a [Listener] a net.Listener: bufio, net/textproto and net/http work over them unchanged.
// Package command makes a component of a program, package handler one of a handler for serve.wasm. Both start in an
// init function; connections can be made from then on.
//
// Goroutines, channels, timers, contexts and deadlines are Go's own. Everything runs on one thread: a goroutine that
// computes without waiting blocks all others.
package streams

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
	"asyncio-streams/internal/wit/types"
)

// The most bytes of one call: less than the default bounds of the queue and of a result.
const chunk = 1 << 20

// The most bytes that ReadLine takes at once, unless one line has more.
const block = 64 << 10

// A Conn is a connection. It is safe for use by many goroutines; reads wait for each other, and so do writes.
//
// The garbage collector closes a connection that is neither closed nor referred to.
type Conn struct {
	reader *asyncio_streams_streams.Reader
	writer *asyncio_streams_streams.Writer

	reading, writing sync.Mutex
	readBy, writeBy  deadline
	lines            []byte // Taken by ReadLine, not yet returned. Guarded by reading.

	mu     sync.Mutex // Guards closing, and uses of writer beside it.
	closed atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// FromParts makes a Conn from the two sides of a connection. For package handler.
func FromParts(reader *asyncio_streams_streams.Reader, writer *asyncio_streams_streams.Writer) *Conn {
	return &Conn{reader: reader, writer: writer}
}

// Read reads the available bytes, up to len(p), and waits for the first. It returns io.EOF at the peer's end, and an
// *Error for a lost connection. When a deadline passes, it returns os.ErrDeadlineExceeded and has consumed nothing.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.lines) > 0 {
		if err := c.mayRead(); err != nil {
			return 0, err
		}
		n := copy(p, c.lines)
		c.skip(n)
		return n, nil
	}
	want := wit_types.Some(uint32(min(len(p), chunk)))
	bytes, err := c.read(func() wit_types.Result[[]uint8, asyncio_streams_types.Error] { return c.reader.Read(want) })
	return copy(p, bytes), err
}

// ReadLine reads a line with its '\n', which the last one may lack; then io.EOF. It takes all buffered lines up to 64 KiB from the
// component at once, so many lines cost one call. A bufio.Reader must not be mixed with it; Read continues after the line. A line
// longer than Dialer.Limit or ListenConfig.Limit is an error, and stays buffered.
func (c *Conn) ReadLine() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.lines) == 0 {
		lines, err := c.read(func() wit_types.Result[[]uint8, asyncio_streams_types.Error] {
			if x := c.reader.TryReadlines(block); x.IsOk() && x.Ok().IsSome() {
				return wit_types.Ok[[]uint8, asyncio_streams_types.Error](x.Ok().Some())
			}
			return c.reader.Readlines(block)
		})
		if err != nil {
			return nil, err
		}
		c.lines = lines
	} else if err := c.mayRead(); err != nil {
		return nil, err
	}
	n := bytes.IndexByte(c.lines, '\n') + 1
	if n == 0 {
		n = len(c.lines)
	}
	// A copy: a line that the program keeps must not keep the others.
	line := make([]byte, n)
	copy(line, c.lines)
	c.skip(n)
	return line, nil
}

// skip drops the first bytes of c.lines; an idle connection holds no block.
func (c *Conn) skip(n int) {
	if c.lines = c.lines[n:]; len(c.lines) == 0 {
		c.lines = nil
	}
}

// mayRead returns the error of a read of a closed connection, or after its deadline.
func (c *Conn) mayRead() error {
	if c.isClosed() {
		return c.fail("read", net.ErrClosed)
	}
	if c.readBy.passed() {
		return c.fail("read", os.ErrDeadlineExceeded)
	}
	return nil
}

// read makes a read whose empty result is the end. The caller holds c.reading.
func (c *Conn) read(call func() wit_types.Result[[]uint8, asyncio_streams_types.Error]) ([]byte, error) {
	// A reader that is collected during the call would be dropped, which would trap.
	defer runtime.KeepAlive(c)
	for {
		if c.isClosed() {
			return nil, c.fail("read", net.ErrClosed)
		}
		if !c.readBy.begin(c.reader.Cancel) {
			return nil, c.fail("read", os.ErrDeadlineExceeded)
		}
		x := call()
		c.readBy.end()
		switch {
		case x.IsOk() && len(x.Ok()) == 0:
			return nil, io.EOF
		case x.IsOk():
			return x.Ok(), nil
		case x.Err().Tag() != asyncio_streams_types.Error_Cancelled:
			return nil, c.fail("read", newError(x.Err()))
		}
		// A deadline cancelled it, and may have been moved since.
	}
}

// Write queues all of p, and waits while more is queued than the marks allow. A nil error does not mean that the peer
// has received it. With an error it returns how many bytes were queued; those may still be sent.
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

// CloseWrite ends the output: the peer sees the end after the written bytes. Reading continues.
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

// The connections that are being closed in the background.
var closing sync.WaitGroup

// Wait waits until every closed connection has sent its output, or failed to. Package command calls it at the end of
// a program.
func Wait() {
	closing.Wait()
	asyncio_streams_streams.Linger()
}

// Close closes the connection. Written bytes are still sent in the background, for at most Dialer.CloseTimeout or
// ListenConfig.CloseTimeout. A pending Read or Write returns net.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return c.fail("close", net.ErrClosed)
	}
	c.closed.Store(true)
	c.writer.Close()
	closing.Add(1)
	go func() {
		defer closing.Done()
		// Wait for a pending call: dropping its side during the call would trap.
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

// Abort ends the connection at once and drops unsent bytes.
func (c *Conn) Abort() error {
	c.mu.Lock()
	if !c.closed.Load() {
		c.writer.Abort()
	}
	c.mu.Unlock()
	return c.Close()
}

func (c *Conn) isClosed() bool { return c.closed.Load() }

// SetDeadline sets both deadlines. A time that has passed ends pending calls; the zero time means no deadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline sets the deadline of reads, including pending ones.
func (c *Conn) SetReadDeadline(t time.Time) error { c.readBy.set(t); return nil }

// SetWriteDeadline sets the deadline of writes, including pending ones.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.writeBy.set(t); return nil }

// LocalAddr returns a *net.TCPAddr; an empty one after Close.
func (c *Conn) LocalAddr() net.Addr { return c.address((*asyncio_streams_streams.Writer).Sockname) }

// RemoteAddr returns a *net.TCPAddr; an empty one after Close.
func (c *Conn) RemoteAddr() net.Addr { return c.address((*asyncio_streams_streams.Writer).Peername) }

func (c *Conn) address(of func(*asyncio_streams_streams.Writer) wit_types.Option[asyncio_streams_types.Address]) net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isClosed() {
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
