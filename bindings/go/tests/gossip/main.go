// A handler whose clients talk to each other through channels: a goroutine of one client is woken by another's, and
// may end there. Lines: `wait` waits for a `tell`, `tell TEXT` wakes a waiting client, `panic` panics, `fail` fails.
package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/handler"
)

var (
	told = make(chan string)
	mu   sync.Mutex
)

func init() { handler.Serve(serve) }
func main() {}

func serve(conn *streams.Conn) error {
	for {
		line, err := conn.ReadLine()
		if err != nil {
			return nil
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		switch word {
		case "wait":
			// No network call is pending in this call meanwhile.
			fmt.Fprintln(conn, "waiting")
			fmt.Fprintln(conn, "heard", <-told)
		case "last":
			fmt.Fprintln(conn, "waiting")
			fmt.Fprintln(conn, "last", <-told)
			return errors.New("it was the last")
		case "tell":
			told <- rest
			fmt.Fprintln(conn, "told")
		case "nap":
			mu.Lock()
			time.Sleep(10 * time.Millisecond)
			mu.Unlock()
			fmt.Fprintln(conn, "rested")
		case "panic":
			panic("as the client wished")
		case "fail":
			return errors.New("a failure\nof two lines")
		default:
			fmt.Fprintln(conn, "no such word:", word)
		}
	}
}
