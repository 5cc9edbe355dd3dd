package async

import "unsafe"

// A bell wakes one task from another: a stream of one byte, both of whose ends are here. The reading end is in the
// set of the task to wake.
type bell struct {
	readable, writable uint32
	byte               [1]byte
}

var (
	// Tasks to be woken before the current one waits.
	ringing []*Task
	bells   = map[uint32]*Task{}
)

// wake makes the host call a task again soon.
func wake(task *Task) { ringing = append(ringing, task) }

// ring wakes the tasks in the list, except the current one.
func ring(current *Task) {
	for _, task := range ringing {
		if task == current || task.bell != nil {
			continue
		}
		ends := streamNew()
		b := &bell{readable: uint32(ends), writable: uint32(ends >> 32)}
		task.bell, bells[b.readable] = b, task
		// The read is pending when the write arrives, so the event is the read's.
		if streamRead(b.readable, address(unsafe.Pointer(&b.byte)), 1) == blocked {
			waitableJoin(b.readable, task.set)
			streamWrite(b.writable, address(unsafe.Pointer(&b.byte)), 1)
		}
		streamDropWritable(b.writable)
	}
	ringing = ringing[:0]
}

// rung records a wake-up; it returns false when the handle does not belong to a bell.
func rung(handle uint32) bool {
	task := bells[handle]
	if task == nil {
		return false
	}
	delete(bells, handle)
	task.bell = nil
	waitableJoin(handle, 0)
	streamDropReadable(handle)
	return true
}

//go:wasmimport asyncio:streams/streams@0.1.0 [stream-new-0][method]writer.write-stream
//go:noescape
func streamNew() uint64

//go:wasmimport asyncio:streams/streams@0.1.0 [async-lower][stream-read-0][method]writer.write-stream
//go:noescape
func streamRead(stream, buffer, count uint32) uint32

//go:wasmimport asyncio:streams/streams@0.1.0 [async-lower][stream-write-0][method]writer.write-stream
//go:noescape
func streamWrite(stream, buffer, count uint32) uint32

//go:wasmimport asyncio:streams/streams@0.1.0 [stream-drop-readable-0][method]writer.write-stream
//go:noescape
func streamDropReadable(stream uint32)

//go:wasmimport asyncio:streams/streams@0.1.0 [stream-drop-writable-0][method]writer.write-stream
//go:noescape
func streamDropWritable(stream uint32)
