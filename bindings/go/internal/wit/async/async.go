// Package async runs the exported async functions of a component on Go's scheduler.
//
// A task of the component is one call of an exported function. Goroutines belong to no task: a goroutine that another
// task's event has woken continues under that task, and its next wait belongs there. Two things must happen in a task
// itself: returning its result, and waiting for events. A task whose function has not returned waits even without a
// pending operation, so goroutines may block on anything of Go's: channels, mutexes, timers.
package async

import (
	"fmt"
	"unsafe"
)

// Constants of the canonical ABI.
const (
	eventNone    = 0
	eventSubtask = 1

	codeExit = 0
	codeWait = 2

	statusReturned = 2

	blocked                      = 0xffffffff
	RETURN_CODE_BLOCKED   uint32 = blocked
	RETURN_CODE_COMPLETED uint32 = 0
	RETURN_CODE_DROPPED   uint32 = 1
)

// A Task is one call of an exported function.
type Task struct {
	set  uint32
	done bool
	// The number of waitables in the set for which goroutines wait.
	pending int
	// A goroutine that is to continue in this task.
	home chan struct{}
	// The two ends of the stream that wakes it, during a wake-up.
	bell *bell
	next *Task
	prev *Task
}

type waiter struct {
	task   *Task
	result chan uint32
}

var (
	// The task that the host has called; nil outside of calls.
	current *Task
	// All tasks, by the numbers in the contexts of their calls, which cannot hold Go's pointers.
	tasks   = map[uint32]*Task{}
	newest  uint32
	live    Task // The head of a ring of the tasks whose functions have not returned.
	waiters = map[uint32]waiter{}
	clock   timer

	// AtRest is called when no goroutine can run, before the host goes on. It must not wait.
	AtRest = func() {}
)

func init() { live.next, live.prev = &live, &live }

// Run starts an exported function and returns the result of its core function.
func Run(function func(*Task)) uint32 {
	task := &Task{set: waitableSetNew()}
	task.next, task.prev = &live, live.prev
	task.prev.next, task.next.prev = task, task
	newest++
	for newest == 0 || tasks[newest] != nil {
		newest++
	}
	tasks[newest] = task
	contextSet(newest)
	current = task
	go func() {
		function(task)
		task.done = true
		task.prev.next, task.next.prev = task.next, task.prev
	}()
	return settle(task)
}

// Callback is the function that the host calls for an event of a task.
func Callback(event, handle, code uint32) uint32 {
	current = tasks[contextGet()]
	deliver(event, handle, code)
	return settle(current)
}

func deliver(event, handle, code uint32) {
	if event == eventNone || event == eventSubtask && code < statusReturned || clock.fired(handle) || rung(handle) {
		return
	}
	w, known := waiters[handle]
	if !known {
		panic(fmt.Sprintf("an event of handle %d, which nothing waits for", handle))
	}
	waitableJoin(handle, 0)
	if event == eventSubtask {
		subtaskDrop(handle)
	}
	delete(waiters, handle)
	w.task.pending--
	w.result <- code
}

// settle lets goroutines run until all are blocked, and returns the host's next action.
func settle(task *Task) uint32 {
	due := wasiIdle()
	for task.home != nil {
		home := task.home
		task.home = nil
		home <- struct{}{}
		due = wasiIdle()
	}
	AtRest()
	// A finished task stays until the calls that were made in it have ended, because the host attaches them to it.
	if task.done && task.pending == 0 && task.bell == nil {
		clock.stop(task)
		if due != 0 && clock.subtask == 0 && live.next != &live {
			wake(live.next) // It sets the clock.
		}
		ring(task)
		waitableSetDrop(task.set)
		delete(tasks, contextGet())
		contextSet(0)
		current = nil
		return codeExit
	}
	clock.set(due, task)
	ring(task)
	current = nil
	return codeWait | task.set<<4
}

// Home returns once the goroutine runs in this task.
func (task *Task) Home() {
	for current != task {
		if task.home == nil {
			task.home = make(chan struct{})
			wake(task)
		}
		<-task.home
	}
}

func wait(handle uint32) uint32 {
	task := current
	if task == nil {
		panic("asyncio-streams: connections are for command.Main and handler.Serve, and not for init functions")
	}
	result := make(chan uint32, 1)
	waiters[handle] = waiter{task, result}
	task.pending++
	waitableJoin(handle, task.set)
	return <-result
}

// SubtaskWait waits for the result of a started call.
func SubtaskWait(status uint32) {
	if status&0xf != statusReturned {
		wait(status >> 4)
	}
}

// FutureOrStreamWait waits for a read or a write of a future or a stream.
func FutureOrStreamWait(code uint32, handle int32) (uint32, uint32) {
	if code == blocked {
		code = wait(uint32(handle))
	}
	return code & 0xf, code >> 4
}

// Parks the goroutine of the host's call until no other can run; returns when the next timer is due, 0 without one. The
// build adds it to Go's runtime.
//
//go:linkname wasiIdle runtime.wasiIdle
func wasiIdle() int64

//go:wasmimport $root [waitable-set-new]
//go:noescape
func waitableSetNew() uint32

//go:wasmimport $root [waitable-set-drop]
//go:noescape
func waitableSetDrop(set uint32)

//go:wasmimport $root [waitable-join]
//go:noescape
func waitableJoin(waitable, set uint32)

//go:wasmimport $root [context-get-0]
//go:noescape
func contextGet() uint32

//go:wasmimport $root [context-set-0]
//go:noescape
func contextSet(value uint32)

//go:wasmimport $root [subtask-drop]
//go:noescape
func subtaskDrop(subtask uint32)

//go:wasmimport $root [subtask-cancel]
//go:noescape
func subtaskCancel(subtask uint32) uint32

// Returns the address of memory that does not move, for the host.
func address(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }
