// Package runtime manages the memory that passes between Go and the host.
package runtime

import (
	"fmt"
	"runtime"
	"unsafe"
)

// A Handle is a resource's; 0 after it was given away or dropped.
type Handle struct{ value int32 }

// MakeHandle wraps a handle.
func MakeHandle(value int32) *Handle { return &Handle{value} }

// Use returns the handle for one call.
func (h *Handle) Use() int32 {
	if h.value == 0 {
		panic("a resource is used after it was dropped")
	}
	return h.value
}

// Take returns the handle, which the caller then owns.
func (h *Handle) Take() int32 {
	value := h.Use()
	h.value = 0
	return value
}

// Set stores a handle again.
func (h *Handle) Set(value int32) { h.value = value }

// TakeOrNil returns the handle, which the caller then owns, or 0.
func (h *Handle) TakeOrNil() int32 {
	value := h.value
	h.value = 0
	return value
}

// Allocate returns memory for the host, which lives as long as the pinner's pins.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	p := allocate(size, align)
	if p != nil {
		pinner.Pin(p)
	}
	return p
}

func allocate(size, align uintptr) unsafe.Pointer {
	switch {
	case size == 0:
		return nil
	case align <= 1:
		return unsafe.Pointer(unsafe.SliceData(make([]uint8, size)))
	case align <= 8:
		return unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	}
	panic(fmt.Sprintf("no type has the alignment %d", align))
}

// Memory that the host has filled, or is filling, before a variable of Go points to it.
var filled = map[uintptr]unsafe.Pointer{}

// Lifted returns a pointer to memory that the host has filled, and leaves it to the garbage collector.
func Lifted(address uintptr) unsafe.Pointer {
	p, known := filled[address]
	if !known {
		return unsafe.Pointer(address)
	}
	delete(filled, address)
	return p
}

// Kept is Lifted for memory whose elements are taken one by one: it stays until the pinner is unpinned.
func Kept(pinner *runtime.Pinner, address uintptr) unsafe.Pointer {
	p, known := filled[address]
	if !known {
		return unsafe.Pointer(address)
	}
	pinner.Pin(p)
	delete(filled, address)
	return p
}

var initialized bool

func init() { initialized = true }

// The host allocates memory during its calls, and forbids other calls meanwhile, the clock's too. So neither the garbage
// collector nor another goroutine may run.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if !initialized {
		p := uintptr(sbrk(size + align))
		return unsafe.Pointer((p + align - 1) &^ (align - 1))
	}
	wasiLock()
	p := allocate(size, align)
	if p != nil {
		if oldSize != 0 {
			copy(unsafe.Slice((*byte)(p), size), unsafe.Slice((*byte)(old), oldSize))
			delete(filled, uintptr(old))
		}
		filled[uintptr(p)] = p
	}
	wasiUnlock()
	return p
}

//go:linkname sbrk runtime.wasiSbrk
func sbrk(n uintptr) unsafe.Pointer

// Between the two no other code of Go runs. The build adds them to Go's runtime.
//
//go:linkname wasiLock runtime.wasiLock
func wasiLock()

//go:linkname wasiUnlock runtime.wasiUnlock
func wasiUnlock()
