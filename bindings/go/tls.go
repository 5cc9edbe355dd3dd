package streams

import (
	"fmt"

	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_tls"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
	"asyncio-streams/internal/wit/types"
)

// ClientTLS protects connections that this side opens. The zero value trusts Mozilla's roots. Certificates and keys
// are PEM or DER.
type ClientTLS struct {
	// Authorities to trust in addition to Mozilla's.
	RootCAs []byte
	// Trusts RootCAs only.
	NoBuiltInRoots bool
	// The name that the server's certificate must be for; if empty, the host of the address.
	ServerName string
	// The application protocols to offer.
	NextProtos []string
	// The certificate of this side, for servers that request one.
	Certificate, Key []byte
	// Accepts any certificate. For tests.
	InsecureSkipVerify bool
}

// ServerTLS protects connections that this side accepts.
type ServerTLS struct {
	// The chain, the server's own certificate first, and its key. Required.
	Certificate, Key []byte
	// Authorities of client certificates, which clients then must present.
	ClientCAs []byte
	// The application protocols, in the order of preference.
	NextProtos []string
}

type unit = wit_types.Result[wit_types.Unit, asyncio_streams_types.Error]

// first makes calls until one fails.
func first(what string, calls ...func() unit) error {
	for _, call := range calls {
		if x := call(); x.IsErr() {
			return fmt.Errorf("%s: %w", what, newError(x.Err()))
		}
	}
	return nil
}

func only[T any](x wit_types.Result[T, asyncio_streams_types.Error]) unit {
	if x.IsErr() {
		return wit_types.Err[wit_types.Unit, asyncio_streams_types.Error](x.Err())
	}
	return wit_types.Ok[wit_types.Unit, asyncio_streams_types.Error](wit_types.Unit{})
}

// unless skips a call.
func unless(out bool, call func() unit) func() unit {
	if out {
		return func() unit { return wit_types.Ok[wit_types.Unit, asyncio_streams_types.Error](wit_types.Unit{}) }
	}
	return call
}

func (t *ClientTLS) apply(options *asyncio_streams_streams.ConnectOptions, host string) error {
	config := asyncio_streams_tls.MakeClientConfig()
	defer config.Drop()
	name := t.ServerName
	if name == "" {
		name = host
	}
	return first("TLS",
		unless(!t.NoBuiltInRoots, func() unit { return config.SetBuiltInRoots(false) }),
		unless(len(t.RootCAs) == 0, func() unit { return only(config.AddRoots(t.RootCAs)) }),
		unless(len(t.NextProtos) == 0, func() unit { return config.SetAlpn(t.NextProtos) }),
		unless(len(t.Certificate)+len(t.Key) == 0, func() unit { return config.SetCertificate(t.Certificate, t.Key) }),
		unless(!t.InsecureSkipVerify, func() unit { return config.DangerousAcceptAnyCertificate() }),
		func() unit { return options.SetTls(config, wit_types.Some(name)) },
	)
}

func (t *ServerTLS) apply(options *asyncio_streams_streams.ServerOptions) error {
	config := asyncio_streams_tls.MakeServerConfig()
	defer config.Drop()
	anonymous := len(t.ClientCAs) == 0
	return first("TLS",
		func() unit { return config.AddCertificate(t.Certificate, t.Key) },
		unless(anonymous, func() unit { return only(config.AddClientRoots(t.ClientCAs)) }),
		unless(anonymous, func() unit {
			return config.SetClientAuthentication(asyncio_streams_tls.ClientAuthentication_Required)
		}),
		unless(len(t.NextProtos) == 0, func() unit { return config.SetAlpn(t.NextProtos) }),
		func() unit { return options.SetTls(config) },
	)
}
