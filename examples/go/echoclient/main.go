// Echo client: connects, sends a line, and prints the answer. The arguments are HOST:PORT and the message.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	streams "asyncio-streams"
	"asyncio-streams/command"
)

func init() { command.Main(run) }
func main() {}

func run() error {
	if len(os.Args) < 2 {
		return errors.New("usage: echoclient HOST:PORT [MESSAGE]")
	}
	message := "Hello World!"
	if len(os.Args) > 2 {
		message = os.Args[2]
	}
	conn, err := streams.Dial("tcp", os.Args[1])
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Printf("Send: '%s'\n", message)
	if _, err := fmt.Fprintln(conn, message); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	fmt.Printf("Received: '%s'\n", strings.TrimSuffix(line, "\n"))
	fmt.Println("Close the connection")
	return nil
}
