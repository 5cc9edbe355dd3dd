package streams

import (
	"sync"
	"sync/atomic"
	"time"
)

// The interval at which a cancel is repeated: it does not reach a call that had not started.
const again = 10 * time.Millisecond

// The deadline of the calls of one side of a connection, of which one is pending at a time.
type deadline struct {
	limited atomic.Bool // by is not zero. Most deadlines never are; then passed takes no lock.

	mu     sync.Mutex
	by     time.Time
	timer  *time.Timer
	cancel func() // Of the pending call; nil if there is none.
}

// passed returns whether the deadline has passed.
func (d *deadline) passed() bool {
	if !d.limited.Load() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over()
}

func (d *deadline) over() bool { return !d.by.IsZero() && !time.Now().Before(d.by) }

// begin is called before a call, and end after it. It returns false when the deadline has passed.
func (d *deadline) begin(cancel func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over() {
		return false
	}
	d.cancel = cancel
	d.arm()
	return true
}

func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancel = nil
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.by = t
	d.limited.Store(!t.IsZero())
	if d.cancel == nil {
		return
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.arm()
}

func (d *deadline) arm() {
	if d.by.IsZero() {
		return
	}
	d.after(time.Until(d.by))
}

func (d *deadline) after(pause time.Duration) {
	if d.timer == nil {
		d.timer = time.AfterFunc(pause, d.fire)
	} else {
		d.timer.Reset(pause)
	}
}

func (d *deadline) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Since the timer was set, the deadline may have been moved, or the call may have ended.
	if d.cancel == nil || !d.over() {
		return
	}
	d.cancel()
	d.after(again)
}
