// Package command makes a Go program a component that a host runs, as `wasmtime run` does.
//
//	func init() { command.Main(run) }
//	func main() {}
//
//	func run() error { ... }
//
// A component is a library, so Go does not call main. os.Args and standard output work as usual.
package command

import (
	"fmt"
	"os"

	streams "asyncio-streams"
	"asyncio-streams/internal/text"
	"asyncio-streams/internal/wit/exports/export_wasi_cli_run"
	_ "asyncio-streams/internal/wit/exports/wit_command"
)

// Main sets what the program does; call it in an init function. An error is written to standard error, and makes the
// program fail. When it returns, connections that it has closed still send what they have.
func Main(run func() error) {
	export_wasi_cli_run.Main = func() bool {
		err := run()
		if err != nil {
			fmt.Fprintf(os.Stderr, "error: %s\n", text.Escape(err.Error()))
		}
		streams.Wait()
		return err == nil
	}
}
