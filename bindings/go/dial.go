package streams

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"asyncio-streams/internal/text"
	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
	"asyncio-streams/internal/wit/types"
)

// Options are shared by Dialer and ListenConfig; the zero value of each is the component's default.
type Options struct {
	// The most bytes that a line may have before its end, for Conn.ReadLine; 65,536 by default.
	Limit uint32
	// How long Close may take to send written bytes; 30 s by default.
	CloseTimeout time.Duration
	// How long a connection may be idle before the system probes the peer; 0 means never.
	KeepAlive time.Duration
}

// A Dialer holds the options of connections that are opened. The zero value is ready for use.
type Dialer struct {
	Options
	// How long connecting may take, including the look-up of the name and the handshake; 0 is the system's choice.
	Timeout time.Duration
	// Protects the connections by TLS. The component must be composed with streams-tls.wasm.
	TLS *ClientTLS
}

// Dial connects to "host:port", as net.Dial does. The network is "tcp", "tcp4" or "tcp6".
func Dial(network, address string) (net.Conn, error) { return new(Dialer).Dial(network, address) }

// Dial connects to "host:port".
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to "host:port", unless the context ends before. It fits http.Transport.DialContext and, with
// TLS set, http.Transport.DialTLSContext.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	// The message of a refused connection to a numeric address names it already.
	if named := text.Escape(address); !strings.Contains(err.Error(), named) {
		err = fmt.Errorf("%s: %w", named, err)
	}
	return nil, &net.OpError{Op: "dial", Net: network, Err: err}
}

func (d *Dialer) dial(ctx context.Context, network, address string) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	family, err := familyOf(network)
	if err != nil {
		return nil, err
	}
	options := asyncio_streams_streams.MakeConnectOptions()
	// Drop after the call: dropping while it is pending would trap.
	defer options.Drop()
	options.SetFamily(family)
	if err := d.Options.apply(options); err != nil {
		return nil, err
	}
	if d.Timeout > 0 {
		options.SetDeadline(nanoseconds(d.Timeout))
	}
	if d.TLS != nil {
		if err := d.TLS.apply(options, host); err != nil {
			return nil, err
		}
	}
	var by deadline
	defer context.AfterFunc(ctx, func() { by.set(time.Unix(1, 0)) })()
	if !by.begin(options.Cancel) {
		return nil, ctx.Err()
	}
	x := asyncio_streams_streams.OpenConnection(host, port, wit_types.Some(options))
	by.end()
	if x.IsErr() {
		return nil, newError(x.Err())
	}
	return FromParts(x.Ok().F0, x.Ok().F1), nil
}

// The setters of both kinds of options.
type setters interface {
	SetLimit(uint32) wit_types.Result[wit_types.Unit, asyncio_streams_types.Error]
	SetCloseDeadline(wit_types.Option[uint64])
	SetKeepAlive(bool)
	SetKeepAliveTimes(idle, interval wit_types.Option[uint64], count wit_types.Option[uint32]) wit_types.Result[wit_types.Unit, asyncio_streams_types.Error]
}

func (o *Options) apply(to setters) error {
	if o.Limit != 0 {
		if x := to.SetLimit(o.Limit); x.IsErr() {
			return newError(x.Err())
		}
	}
	if o.CloseTimeout > 0 {
		to.SetCloseDeadline(nanoseconds(o.CloseTimeout))
	}
	if o.KeepAlive > 0 {
		to.SetKeepAlive(true)
		if x := to.SetKeepAliveTimes(nanoseconds(o.KeepAlive), wit_types.None[uint64](), wit_types.None[uint32]()); x.IsErr() {
			return newError(x.Err())
		}
	}
	return nil
}

func nanoseconds(d time.Duration) wit_types.Option[uint64] { return wit_types.Some(uint64(d)) }

func split(address string) (string, uint16, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("it must be host:port: %s", text.Escape(err.Error()))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("the port %q must be a number up to 65535", port)
	}
	return host, uint16(n), nil
}

func familyOf(network string) (asyncio_streams_types.AddressFamily, error) {
	switch network {
	case "tcp":
		return asyncio_streams_types.AddressFamily_Any, nil
	case "tcp4":
		return asyncio_streams_types.AddressFamily_Ipv4, nil
	case "tcp6":
		return asyncio_streams_types.AddressFamily_Ipv6, nil
	}
	return 0, net.UnknownNetworkError(network)
}
