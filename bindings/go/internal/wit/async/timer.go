package async

import _ "unsafe"

// The only call of the host's clock, which wakes the component for Go's timers.
type timer struct {
	subtask uint32
	due     int64
	task    *Task
}

// set makes the clock wake the task when a timer is due, unless it wakes some task before; 0 means no timer.
func (t *timer) set(due int64, task *Task) {
	if due == 0 || t.subtask != 0 && t.due <= due {
		return
	}
	t.stop(t.task)
	pause := max(due-nanotime(), 0)
	status := waitFor(uint64(pause))
	if status&0xf == statusReturned {
		// The timer is due already; after the clock's shortest wait the host calls again.
		status = waitFor(1)
	}
	*t = timer{status >> 4, due, task}
	if t.subtask != 0 {
		waitableJoin(t.subtask, task.set)
	}
}

// stop ends the call, if it is in this task.
func (t *timer) stop(task *Task) {
	if t.subtask == 0 || t.task != task {
		return
	}
	waitableJoin(t.subtask, 0)
	subtaskCancel(t.subtask)
	subtaskDrop(t.subtask)
	*t = timer{}
}

// fired records the end of the call; it returns false when the handle belongs to something else.
func (t *timer) fired(handle uint32) bool {
	if t.subtask == 0 || t.subtask != handle {
		return false
	}
	waitableJoin(handle, 0)
	subtaskDrop(handle)
	*t = timer{}
	return true
}

//go:linkname nanotime runtime.nanotime
func nanotime() int64

//go:wasmimport wasi:clocks/monotonic-clock@0.3.0 [async-lower]wait-for
//go:noescape
func waitFor(nanoseconds uint64) uint32
