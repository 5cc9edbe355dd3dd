// Echo server: serve.wasm calls it for each client, and it sends everything back.
package main

import (
	"io"

	streams "asyncio-streams"
	"asyncio-streams/handler"
)

func init() { handler.Serve(func(c *streams.Conn) error { _, err := io.Copy(c, c); return err }) }
func main() {}
