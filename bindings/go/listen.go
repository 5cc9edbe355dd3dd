package streams

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"asyncio-streams/internal/text"
	"asyncio-streams/internal/wit/imports/asyncio_streams_numbers"
	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
	"asyncio-streams/internal/wit/types"
)

// A ListenConfig holds the options of servers. The zero value is ready for use.
type ListenConfig struct {
	Options
	// The number of connections that may be open at once; the backlog holds the rest. About 2,800 by default.
	MaxConnections uint32
	// How long a connection may pass no byte in either direction before it is aborted; 0 means no limit.
	IdleTimeout time.Duration
	// The number of connections that the system holds until they are accepted; 100 by default.
	Backlog uint32
	// Protects the connections by TLS. The component must be composed with streams-tls.wasm.
	TLS *ServerTLS
}

// A Listener is a server, like that of net.Listen.
type Listener struct {
	server    *asyncio_streams_streams.Server
	number    uint64
	accepting sync.Mutex
	clients   side
	addr      net.Addr

	mu     sync.Mutex
	closed bool
}

var _ net.Listener = (*Listener)(nil)

// Listen listens on "host:port"; an empty host means all interfaces, port 0 a free one.
func Listen(network, address string) (*Listener, error) {
	return new(ListenConfig).Listen(network, address)
}

// Listen listens on "host:port".
func (l *ListenConfig) Listen(network, address string) (*Listener, error) {
	listener, err := l.listen(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("%s: %w", text.Escape(address), err)}
	}
	return listener, nil
}

func (l *ListenConfig) listen(network, address string) (*Listener, error) {
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	family, err := familyOf(network)
	if err != nil {
		return nil, err
	}
	options := asyncio_streams_streams.MakeServerOptions()
	defer options.Drop()
	options.SetFamily(family)
	if err := l.Options.apply(options); err != nil {
		return nil, err
	}
	for _, number := range []struct {
		n   uint32
		set func(uint32) wit_types.Result[wit_types.Unit, asyncio_streams_types.Error]
	}{{l.MaxConnections, options.SetMaxConnections}, {l.Backlog, options.SetBacklog}} {
		if number.n != 0 {
			if x := number.set(number.n); x.IsErr() {
				return nil, newError(x.Err())
			}
		}
	}
	if l.IdleTimeout > 0 {
		options.SetIdleTimeout(nanoseconds(l.IdleTimeout))
	}
	if l.TLS != nil {
		if err := l.TLS.apply(options); err != nil {
			return nil, err
		}
	}
	var hosts []string
	if host != "" {
		hosts = []string{host}
	}
	x := asyncio_streams_streams.StartServer(hosts, port, wit_types.Some(options))
	if x.IsErr() {
		return nil, newError(x.Err())
	}
	listener := &Listener{server: x.Ok(), number: asyncio_streams_numbers.ServerNumber(x.Ok()), addr: &net.TCPAddr{}}
	if sockets := listener.server.Sockets(); len(sockets) > 0 {
		listener.addr = tcpAddr(sockets[0])
	}
	return listener, nil
}

// Accept waits for the next client; it returns net.ErrClosed after Close.
func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.accept()
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: err}
	}
	return conn, nil
}

func (l *Listener) accept() (*Conn, error) {
	l.accepting.Lock()
	defer l.accepting.Unlock()
	defer runtime.KeepAlive(l)
	for {
		if l.isClosed() {
			return nil, net.ErrClosed
		}
		if l.clients.passed() {
			return nil, os.ErrDeadlineExceeded
		}
		x := asyncio_streams_numbers.TryAccept(l.number)
		if x.IsErr() {
			return nil, newError(x.Err())
		}
		if x.Ok().IsSome() {
			accepted := x.Ok().Some()
			client := accepted.F2
			return &Conn{reader: accepted.F0, writer: accepted.F1, readNumber: client.Reader, writeNumber: client.Writer}, nil
		}
		if err := l.clients.wait(l.number, aClient); err != nil && !l.isClosed() {
			return nil, err
		}
	}
}

func (l *Listener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// SetDeadline sets the deadline of Accept, including a pending one; the zero time means no deadline.
func (l *Listener) SetDeadline(t time.Time) error { l.clients.set(t); return nil }

// Close stops listening; accepted connections continue. A pending Accept returns net.ErrClosed.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.closed = true
	l.server.Close()
	l.clients.interrupt()
	go func() {
		// Wait for a pending Accept: dropping the server during the call would trap.
		l.accepting.Lock()
		defer l.accepting.Unlock()
		l.server.Drop()
	}()
	return nil
}

// Addr returns the first address on which it listens, a *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return l.addr }
