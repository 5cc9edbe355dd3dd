// Line server: serve.wasm calls it for each client, and it sends every line back.
package main

import (
	"bufio"

	streams "asyncio-streams"
	"asyncio-streams/handler"
)

func init() { handler.Serve(echo) }
func main() {}

func echo(conn *streams.Conn) error {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if _, err := conn.Write(append(lines.Bytes(), '\n')); err != nil {
			return err
		}
	}
	return lines.Err()
}
