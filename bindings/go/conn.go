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

	"asyncio-streams/internal/wit/imports/asyncio_streams_numbers"
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
	// Their numbers. A call with a number costs a fraction of one that lends a resource.
	readNumber, writeNumber uint64

	reading, writing sync.Mutex
	input, output    side
	lines            []byte // Taken by ReadLine, not yet returned. Guarded by reading.

	mu     sync.Mutex // Guards closing, and uses of writer beside it.
	closed atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// FromParts makes a Conn from the two sides of a connection. For package handler.
func FromParts(reader *asyncio_streams_streams.Reader, writer *asyncio_streams_streams.Writer) *Conn {
	return &Conn{
		reader: reader, writer: writer,
		readNumber: asyncio_streams_numbers.ReaderNumber(reader), writeNumber: asyncio_streams_numbers.WriterNumber(writer),
	}
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
	most := uint32(min(len(p), chunk))
	bytes, err := c.read(anyInput, func() tried { return asyncio_streams_numbers.TryRead(c.readNumber, most) })
	return copy(p, bytes), err
}

// ReadLine reads a line with its '\n', which the last one may lack; then io.EOF. It takes all buffered lines up to 64 KiB from the
// component at once, so many lines cost one call. A bufio.Reader must not be mixed with it; Read continues after the line. A line
// longer than Dialer.Limit or ListenConfig.Limit is an error, and stays buffered.
func (c *Conn) ReadLine() ([]byte, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.lines) == 0 {
		lines, err := c.read(aLine, func() tried { return asyncio_streams_numbers.TryReadlines(c.readNumber, block) })
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
	if c.input.passed() {
		return c.fail("read", os.ErrDeadlineExceeded)
	}
	return nil
}

// The result of a read that does not wait: none if it would have to.
type tried = wit_types.Result[wit_types.Option[[]uint8], asyncio_streams_types.Error]

// read makes a read, whose empty result is the end, each time that the event happens until it need not wait. The caller holds
// c.reading.
func (c *Conn) read(event asyncio_streams_numbers.Event, try func() tried) ([]byte, error) {
	// A reader that is collected before would be dropped, and its number would stand for nothing.
	defer runtime.KeepAlive(c)
	for {
		if err := c.mayRead(); err != nil {
			return nil, err
		}
		switch x := try(); {
		case x.IsErr():
			return nil, c.fail("read", newError(x.Err()))
		case x.Ok().IsSome() && len(x.Ok().Some()) == 0:
			return nil, io.EOF
		case x.Ok().IsSome():
			return x.Ok().Some(), nil
		}
		if err := c.input.wait(c.readNumber, event); err != nil && !c.isClosed() {
			return nil, c.fail("read", err)
		}
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
		if c.output.passed() {
			return n, c.fail("write", os.ErrDeadlineExceeded)
		}
		piece := p[n:min(len(p), n+chunk)]
		x := asyncio_streams_numbers.Write(c.writeNumber, piece)
		if x.IsErr() {
			return n, c.fail("write", newError(x.Err()))
		}
		unsent = true
		n += len(piece)
		if !x.Ok() {
			if err := c.drain(); err != nil {
				return n, err
			}
		}
		if n == len(p) {
			return n, nil
		}
	}
}

func (c *Conn) drain() error {
	for {
		if c.isClosed() {
			return c.fail("write", net.ErrClosed)
		}
		if c.output.passed() {
			return c.fail("write", os.ErrDeadlineExceeded)
		}
		if x := asyncio_streams_numbers.TryDrain(c.writeNumber); x.IsErr() {
			return c.fail("write", newError(x.Err()))
		} else if x.Ok() {
			return nil
		}
		if err := c.output.wait(c.writeNumber, drained); err != nil && !c.isClosed() {
			return c.fail("write", err)
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
	c.input.interrupt()
	c.output.interrupt()
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
	c.input.set(t)
	c.output.set(t)
	return nil
}

// SetReadDeadline sets the deadline of reads, including pending ones.
func (c *Conn) SetReadDeadline(t time.Time) error { c.input.set(t); return nil }

// SetWriteDeadline sets the deadline of writes, including pending ones.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.output.set(t); return nil }

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
