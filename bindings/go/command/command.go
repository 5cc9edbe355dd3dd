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

// Main sets the function of the program; call it in an init function. An error is written to standard error, and
// makes the program fail. When the function returns, closed connections still send their output.
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
