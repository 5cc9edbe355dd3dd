package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestEveryEditFitsThisGo(t *testing.T) {
	folder := t.TempDir()
	list, err := overlay(runtime.GOROOT(), folder)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(list)
	if err != nil || !strings.Contains(string(content), filepath.Join(folder, "lock_wasip1.go")) {
		t.Fatal(string(content), err)
	}
}

func TestAnotherGoIsAnErrorThatNamesTheFile(t *testing.T) {
	goroot := t.TempDir()
	for name := range edits {
		file := filepath.Join(goroot, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("package runtime\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := overlay(goroot, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "wasip1.go is not the file of Go 1.27") {
		t.Fatal(err)
	}
}
