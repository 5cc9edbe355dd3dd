// Package handler makes a component of a Go program that serve.wasm calls for each client.
//
//	func init() { handler.Serve(echo) }
//	func main() {}
//
//	func echo(conn *streams.Conn) error { ... }
package handler

import (
	"fmt"
	"os"
	"runtime/debug"

	streams "asyncio-streams"
	"asyncio-streams/internal/text"
	"asyncio-streams/internal/wit/exports/export_asyncio_streams_handler"
	_ "asyncio-streams/internal/wit/exports/wit_handler"
	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
)

// Serve sets the function that is called for each client; call it in an init function. All clients are served
// concurrently, each in a goroutine. The connection is closed when the function returns. serve.wasm logs an error. It
// also logs a panic, which aborts the connection and does not affect other clients.
func Serve(serve func(*streams.Conn) error) {
	export_asyncio_streams_handler.Serve = func(r *asyncio_streams_streams.Reader, w *asyncio_streams_streams.Writer) (failure string) {
		conn := streams.FromParts(r, w)
		defer conn.Close()
		defer func() {
			if cause := recover(); cause != nil {
				fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
				conn.Abort()
				failure = text.Escape(fmt.Sprintf("panic: %v", cause))
			}
		}()
		if err := serve(conn); err != nil {
			return text.Escape(err.Error())
		}
		return ""
	}
}
