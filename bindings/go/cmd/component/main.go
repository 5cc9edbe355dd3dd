// The command component makes a component of a Go program that imports asyncio-streams/command or
// asyncio-streams/handler.
//
//	go run asyncio-streams/cmd/component -wit FOLDER -o app.wasm [package]
//
// It runs `go build` with a runtime that can wait inside a component, and then `asyncio-streams-generate component`. With
// -wasm-tools it runs the program `wasm-tools` instead, with the given adapter.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "component: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	out := flag.String("o", "app.wasm", "the `file` to write")
	wit := flag.String("wit", "", "the `folder` with the worlds command and handler: bindings/wit of the project, or wit of the archive")
	generate := flag.String("generate", "", "the `program` asyncio-streams-generate")
	tools := flag.String("wasm-tools", "", "the `program` wasm-tools, instead")
	adapter := flag.String("adapter", "", "with -wasm-tools: the `file` wasi_snapshot_preview1.reactor.wasm")
	flag.Parse()
	if *wit == "" || (*generate == "") == (*tools == "") || *tools != "" && *adapter == "" {
		return errors.New("usage: component -wit FOLDER (-generate PROGRAM | -wasm-tools PROGRAM -adapter FILE) [-o FILE] [PACKAGE]")
	}
	pkg := "."
	if flag.NArg() > 0 {
		pkg = flag.Arg(0)
	}
	folder, err := os.MkdirTemp("", "component")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	goroot, err := output("go", "env", "GOROOT")
	if err != nil {
		return err
	}
	list, err := overlay(strings.TrimSpace(goroot), folder)
	if err != nil {
		return err
	}
	world, err := world(pkg)
	if err != nil {
		return err
	}
	module := filepath.Join(folder, "module.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-overlay", list, "-ldflags=-s -w -buildid=", "-o", module, pkg)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if err := show(build); err != nil {
		return err
	}
	if *generate != "" {
		return show(exec.Command(*generate, "component", module, "--wit", *wit, "--world", world, "--out", *out))
	}
	embedded := filepath.Join(folder, "embedded.wasm")
	if err := show(exec.Command(*tools, "component", "embed", *wit, "--world", world, module, "-o", embedded)); err != nil {
		return err
	}
	return show(exec.Command(*tools, "component", "new", embedded, "--adapt", "wasi_snapshot_preview1="+*adapter, "-o", *out))
}

// world returns the world of the program, according to its imports.
func world(pkg string) (string, error) {
	list := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", pkg)
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	list.Stderr = os.Stderr
	deps, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", pkg, err)
	}
	found := []string{}
	for _, line := range strings.Fields(string(deps)) {
		if name, ok := strings.CutPrefix(line, "asyncio-streams/"); ok && (name == "command" || name == "handler") {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s must import one of asyncio-streams/command and asyncio-streams/handler; it imports %d of them", pkg, len(found))
	}
	return found[0], nil
}

func show(command *exec.Cmd) error {
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

func output(name string, arguments ...string) (string, error) {
	command := exec.Command(name, arguments...)
	command.Stderr = os.Stderr
	said, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	return string(said), nil
}
