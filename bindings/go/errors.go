package streams

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"asyncio-streams/internal/text"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
)

// An Error is a failure that the streams component reported.
//
// errors.Is matches os.ErrDeadlineExceeded, net.ErrClosed and the corresponding syscall.Errno.
type Error struct {
	kind   string
	text   string
	causes []error
}

// Kind returns the name of the case in the interface: "limit-overrun", "network", "connect", "tls".
func (e *Error) Kind() string { return e.kind }

// Error returns one line for people. Text of peers and of the host is escaped.
func (e *Error) Error() string {
	if e.text == "" {
		return e.kind
	}
	// The messages of attempts begin with "connect to".
	if e.kind == "connect" {
		return e.text
	}
	return e.kind + ": " + e.text
}

// Is returns whether target, one of the errors named above, is its cause.
func (e *Error) Is(target error) bool {
	for _, cause := range e.causes {
		if cause == target {
			return true
		}
	}
	return false
}

// Timeout implements net.Error.
func (e *Error) Timeout() bool { return e.Is(os.ErrDeadlineExceeded) || e.Is(syscall.ETIMEDOUT) }

// Temporary implements net.Error.
func (e *Error) Temporary() bool { return e.kind == "busy" || e.kind == "buffer-full" }

var _ net.Error = (*Error)(nil)

var kinds = [...]string{"invalid-argument", "not-supported", "busy", "write-after-eof", "too-large", "buffer-full", "cancelled",
	"deadline-exceeded", "incomplete-read", "limit-overrun", "closed", "network", "connect", "tls", "other"}

// In the order of network-code.
var errnos = [...]error{syscall.EACCES, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.ECONNREFUSED, syscall.ECONNRESET,
	syscall.ECONNABORTED, syscall.EPIPE, syscall.EHOSTUNREACH, syscall.ETIMEDOUT, errNameNotFound, errNameLookup, syscall.ENOMEM,
	syscall.EINVAL, nil}

var (
	errNameNotFound = errors.New("the name does not exist")
	errNameLookup   = errors.New("the name service failed")
)

func newError(e asyncio_streams_types.Error) *Error {
	err := &Error{kind: "unknown"}
	if int(e.Tag()) < len(kinds) {
		err.kind = kinds[e.Tag()]
	}
	network := func(n asyncio_streams_types.NetworkError) string {
		if int(n.Code) < len(errnos) && errnos[n.Code] != nil {
			err.causes = append(err.causes, errnos[n.Code])
		}
		return text.Escape(n.Message)
	}
	switch e.Tag() {
	case asyncio_streams_types.Error_InvalidArgument:
		err.text = text.Escape(e.InvalidArgument())
		err.causes = []error{syscall.EINVAL}
	case asyncio_streams_types.Error_NotSupported:
		err.text = text.Escape(e.NotSupported())
		err.causes = []error{syscall.ENOTSUP, errors.ErrUnsupported}
	case asyncio_streams_types.Error_TooLarge:
		err.text = fmt.Sprintf("at least %d bytes", e.TooLarge())
	case asyncio_streams_types.Error_DeadlineExceeded:
		err.causes = []error{os.ErrDeadlineExceeded}
	case asyncio_streams_types.Error_LimitOverrun:
		err.text = fmt.Sprintf("no end of line in the first %d bytes", e.LimitOverrun().Consumed)
	case asyncio_streams_types.Error_Closed:
		err.causes = []error{net.ErrClosed}
	case asyncio_streams_types.Error_Network:
		err.text = network(e.Network())
	case asyncio_streams_types.Error_Connect:
		var attempts []string
		for _, attempt := range e.Connect() {
			message, address := network(attempt.Error), tcpAddr(attempt.Address).String()
			// The message usually names the address itself.
			if !strings.Contains(message, address) {
				message = address + ": " + message
			}
			attempts = append(attempts, message)
		}
		err.text = strings.Join(attempts, "; ")
	case asyncio_streams_types.Error_Tls:
		err.text = text.Escape(e.Tls().Message)
	case asyncio_streams_types.Error_Other:
		err.text = text.Escape(e.Other().Code) + ": " + text.Escape(e.Other().Message)
	}
	return err
}
