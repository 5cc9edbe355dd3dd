// Package export_asyncio_streams_handler is called by the generated export of a handler.
package export_asyncio_streams_handler

import (
	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/types"
)

// Serve is the handler, set by package handler; an empty text is success.
var Serve func(*asyncio_streams_streams.Reader, *asyncio_streams_streams.Writer) string

// ClientConnected serves one client.
func ClientConnected(reader *asyncio_streams_streams.Reader, writer *asyncio_streams_streams.Writer) wit_types.Result[wit_types.Unit, string] {
	if failure := Serve(reader, writer); failure != "" {
		return wit_types.Err[wit_types.Unit, string](failure)
	}
	return wit_types.Ok[wit_types.Unit, string](wit_types.Unit{})
}
