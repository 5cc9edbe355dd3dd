package streams

import (
	"runtime"
	"time"

	"asyncio-streams/internal/wit/async"
	"asyncio-streams/internal/wit/imports/asyncio_streams_numbers"
	"asyncio-streams/internal/wit/imports/asyncio_streams_streams"
	"asyncio-streams/internal/wit/imports/asyncio_streams_types"
)

// The pause before the component is asked to wait again after it had no resources for that.
const retry = 100 * time.Millisecond

var (
	anyInput = asyncio_streams_numbers.MakeEventReadable(asyncio_streams_streams.MakeWantedAny())
	aLine    = asyncio_streams_numbers.MakeEventReadable(asyncio_streams_streams.MakeWantedLine())
	drained  = asyncio_streams_numbers.MakeEventDrained()
	aClient  = asyncio_streams_numbers.MakeEventConnection()
)

// A side is what one goroutine at a time waits for: the input or the output of a connection, or the clients of a listener.
type side struct {
	deadline
	key   uint32     // Of its event.
	woken chan error // Receives the result of the wait.
	stop  func()     // Ends the wait.
}

// wait waits for an event of the resource with the number `of`, or for the deadline: the caller tries again, and checks the
// deadline. It returns the error of the wait, such as that of a lost connection.
func (s *side) wait(of uint64, event asyncio_streams_numbers.Event) error {
	if s.woken == nil {
		s.woken = make(chan error, 1)
		s.stop = func() { events.end(s.key) }
	}
	key, err := events.add(of, event, s.woken)
	if err != nil {
		return err
	}
	s.key = key
	if !s.begin(s.stop) {
		s.stop()
	}
	err = <-s.woken
	s.end()
	return err
}

// interrupt ends a pending wait, whose caller tries again.
func (s *side) interrupt() {
	if s.stop != nil {
		s.stop()
	}
}

// Whether bytes were written since the last call that sends them. Those of one turn leave together.
var unsent bool

func init() {
	async.AtRest = func() {
		if unsent {
			unsent = false
			asyncio_streams_numbers.Kick()
		}
	}
}

// events waits for all sides of all connections and listeners.
var events = poller{waiting: map[uint32]chan error{}}

// A poller waits for many events by one call of the component, which costs less for each the more there are. Its methods
// need no lock: they run on the one thread, and no other goroutine runs before they return.
type poller struct {
	watch   *asyncio_streams_numbers.Watch // Made for the first event: an init function cannot make it.
	number  uint64
	newest  uint32
	waiting map[uint32]chan error // By the keys of the events.
	running bool                  // Whether the goroutine that waits runs. It ends when there are no events.
}

// add waits for an event, whose result it sends to `woken` once.
func (p *poller) add(of uint64, event asyncio_streams_numbers.Event, woken chan error) (uint32, error) {
	if p.watch == nil {
		p.watch = asyncio_streams_numbers.MakeWatch()
		p.number = p.watch.Number()
	}
	p.newest++
	for p.waiting[p.newest] != nil {
		p.newest++
	}
	key := p.newest
	if x := asyncio_streams_numbers.Add(p.number, of, event, key); x.IsErr() {
		return 0, newError(x.Err())
	}
	p.waiting[key] = woken
	if !p.running {
		p.running = true
		go p.run()
	}
	return key, nil
}

// end ends a wait, if it is pending.
func (p *poller) end(key uint32) {
	p.report(key)
	if p.running && len(p.waiting) == 0 {
		p.watch.Cancel()
	}
}

// report removes an event and sends its result. It does nothing if the event was removed before.
func (p *poller) report(key uint32) {
	woken := p.waiting[key]
	if woken == nil {
		return
	}
	delete(p.waiting, key)
	var err error
	if x := asyncio_streams_numbers.Remove(p.number, key); x.IsErr() {
		err = newError(x.Err())
	}
	woken <- err
}

// run waits until there are no more events.
func (p *poller) run() {
	for len(p.waiting) > 0 {
		unsent = false // The wait sends them.
		x := p.watch.Wait()
		switch {
		case x.IsOk():
			for _, key := range x.Ok() {
				p.report(key)
			}
			// Most goroutines that have an event wait for the next one soon. Then one call waits for all of these.
			runtime.Gosched()
		case x.Err().Tag() != asyncio_streams_types.Error_Cancelled:
			unsent = true // A wait that is refused sends nothing.
			time.Sleep(retry)
		}
	}
	p.running = false
}
