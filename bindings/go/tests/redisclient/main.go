// A client of redis over net/textproto: every kind of reply, and many commands in flight while replies are read.
package main

import (
	"fmt"
	"io"
	"net/textproto"
	"os"
	"strconv"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/command"
)

func init() { command.Main(run) }
func main() {}

const commands = 20_000

func run() error {
	raw, err := (&streams.Dialer{Timeout: 30 * time.Second}).Dial("tcp", os.Args[1])
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(50 * time.Second))
	conn := textproto.NewConn(raw)
	for command, want := range map[string]string{"PING": "+PONG", "NO-SUCH-COMMAND": "-ERR unknown command 'NO-SUCH-COMMAND', with args beginning with: ", "GET nothing": "$-1",
		"SET n 0": "+OK"} {
		if err := conn.PrintfLine("%s", command); err != nil {
			return err
		}
		if got, err := conn.ReadLine(); err != nil || got != want {
			return fmt.Errorf("%s: %q, %v", command, got, err)
		}
	}
	fmt.Fprintf(raw, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\nGET k\r\n")
	value := make([]byte, len("+OK\r\n$4\r\na\r\nb\r\n"))
	if _, err := io.ReadFull(conn.R, value); err != nil || string(value) != "+OK\r\n$4\r\na\r\nb\r\n" {
		return fmt.Errorf("SET and GET: %q, %v", value, err)
	}
	sent := make(chan error)
	go func() {
		for range commands {
			if err := conn.PrintfLine("INCR n"); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for n := 1; n <= commands; n++ {
		if got, err := conn.ReadLine(); err != nil || got != ":"+strconv.Itoa(n) {
			return fmt.Errorf("INCR %d: %q, %v", n, got, err)
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	fmt.Println("all well")
	return nil
}
