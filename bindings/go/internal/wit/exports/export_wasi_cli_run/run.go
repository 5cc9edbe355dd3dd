// Package export_wasi_cli_run is called by the generated export of a command.
package export_wasi_cli_run

import "asyncio-streams/internal/wit/types"

// Main is the program, set by package command.
var Main func() bool

// Run runs it.
func Run() wit_types.Result[wit_types.Unit, wit_types.Unit] {
	if Main != nil && Main() {
		return wit_types.Ok[wit_types.Unit, wit_types.Unit](wit_types.Unit{})
	}
	return wit_types.Err[wit_types.Unit, wit_types.Unit](wit_types.Unit{})
}
