package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Additions to Go's runtime for components: a way to wait until no goroutine can run, and to keep everything else
// from running. The files of GOROOT are edited at build time, so that no copy of them is needed here.
const additions = `
// The goroutine that is to run when no other can, and when the next timer is due then.
var (
	wasiIdler guintptr
	wasiDue   int64
)

// wasiIdle parks the goroutine until no other can run, and returns when the next timer is due; 0 is none.
//
//go:linkname wasiIdle
func wasiIdle() int64 {
	wasiIdler.set(getg())
	gopark(nil, nil, waitReasonZero, traceBlockGeneric, 1)
	return wasiDue
}

// wasiLock keeps the garbage collector and other goroutines from running until wasiUnlock, and the clock from being
// asked: the allocator measures the time that some of its work takes.
//
//go:linkname wasiLock
func wasiLock() {
	acquirem()
	wasiStopped = true
}

//go:linkname wasiUnlock
func wasiUnlock() {
	wasiStopped = false
	releasem(getg().m)
}

var (
	wasiStopped bool
	wasiTime    int64
)

// wasiSbrk allocates memory before the heap exists.
//
//go:linkname wasiSbrk
func wasiSbrk(n uintptr) unsafe.Pointer { return sbrk(n) }

func beforeIdle(now, due int64) (*g, bool) {
	gp := wasiIdler.ptr()
	if gp == nil {
		return nil, false
	}
	wasiIdler, wasiDue = 0, due
	return gp, false
}
`

// An edit of a file of GOROOT: the text must occur exactly once.
type edit struct{ old, new string }

var edits = map[string][]edit{
	"src/runtime/lock_wasip1.go": {
		{"package runtime\n", "package runtime\n\nimport \"unsafe\"\n"},
		{"\nfunc beforeIdle(int64, int64) (*g, bool) {\n\treturn nil, false\n}\n", additions},
	},
	"src/runtime/os_wasip1.go": {
		{"func nanotime1() int64 {\n", "func nanotime1() int64 {\n\tif wasiStopped {\n\t\treturn wasiTime\n\t}\n"},
		{"\treturn int64(time)\n}", "\twasiTime = int64(time)\n\treturn wasiTime\n}"},
	},
}

// overlay writes the edited files into a folder, with the list for `go build -overlay`, and returns the list's name.
func overlay(goroot, folder string) (string, error) {
	replace := map[string]string{}
	for name, changes := range edits {
		original := filepath.Join(goroot, name)
		content, err := os.ReadFile(original)
		if err != nil {
			return "", err
		}
		edited, err := apply(string(content), changes)
		if err != nil {
			return "", fmt.Errorf("%s is not the file of Go 1.27 that this build knows how to edit: %w", original, err)
		}
		file := filepath.Join(folder, filepath.Base(name))
		if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
			return "", err
		}
		replace[original] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "overlay.json")
	return file, os.WriteFile(file, list, 0o644)
}

func apply(content string, changes []edit) (string, error) {
	for _, change := range changes {
		if n := strings.Count(content, change.old); n != 1 {
			return "", fmt.Errorf("%q is there %d times instead of once", change.old, n)
		}
		content = strings.Replace(content, change.old, change.new, 1)
	}
	return content, nil
}
