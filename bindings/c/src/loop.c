/* Loops: calls that are pending, and how they end. */
#include <stdlib.h>

#include "private.h"

/* The state of a handle: the call whose subtask it is, and how many calls on it are pending. The component has one
 * table of handles, whose numbers are reused, so an array suffices. */
typedef struct { streams_call_t *call; uint32_t calls; } handle_t;
static handle_t *handles;
static uint32_t handles_len;
static bool blocking_allowed = true;

void streams_may_block(bool may) { blocking_allowed = may; }

static handle_t *of(uint32_t handle) {
  if (handle >= handles_len) {
    uint32_t len = handle < 32 ? 64 : 2 * handle;
    handle_t *more = realloc(handles, len * sizeof *more);
    if (!more) abort(); /* As in the allocations of the generated code. */
    for (uint32_t i = handles_len; i < len; i++) more[i] = (handle_t){0};
    handles = more, handles_len = len;
  }
  return &handles[handle];
}

/* Appends a call to the list of done calls. */
static void deliver(streams_call_t *call) {
  streams_loop_t *loop = call->loop;
  if (!loop->done) loop->last = &loop->done;
  call->next = NULL, call->link = loop->last, *loop->last = call;
  loop->last = &call->next;
}

static void push_to(streams_call_t **list, streams_call_t *call) {
  call->next = *list, call->link = list;
  if (call->next) call->next->link = &call->next;
  *list = call;
}

static void unlink_call(streams_call_t *call) {
  if (!call->link) return;
  if (call->loop->last == &call->next) call->loop->last = call->link;
  *call->link = call->next;
  if (call->next) call->next->link = call->link;
  call->next = NULL, call->link = NULL;
}

static void count(streams_call_t *call, uint32_t by) {
  for (int i = 0; i < 2; i++)
    if (call->resources[i]) of((uint32_t)call->resources[i])->calls += by;
}

streams_status_t streams_begin(streams_loop_t *loop, streams_call_t *call) {
  if (!loop->set) return STREAMS_CLOSED_LOOP;
  if (call->state == STREAMS_PENDING) return STREAMS_IN_USE;
  unlink_call(call); /* It may be done and not returned yet. */
  call->loop = loop;
  return STREAMS_PENDING;
}

streams_status_t streams_done(streams_call_t *call) {
  call->state = STREAMS_DONE;
  deliver(call);
  return STREAMS_DONE;
}

streams_status_t streams_started(streams_call_t *call, bindings_subtask_status_t status, int32_t one, int32_t other) {
  call->resources[0] = one, call->resources[1] = other;
  if (BINDINGS_SUBTASK_STATE(status) == BINDINGS_SUBTASK_RETURNED) return streams_done(call);
  call->state = STREAMS_PENDING, call->subtask = BINDINGS_SUBTASK_HANDLE(status);
  push_to(&call->loop->pending, call);
  of(call->subtask)->call = call;
  count(call, 1);
  bindings_waitable_join(call->subtask, call->loop->set);
  return STREAMS_PENDING;
}

/* Removes a call that has ended from all lists. First from the set: dropping a member of a set is a trap. */
static void ended(streams_call_t *call, streams_status_t state) {
  of(call->subtask)->call = NULL;
  count(call, (uint32_t)-1);
  bindings_subtask_drop(call->subtask);
  unlink_call(call);
  call->subtask = 0, call->state = state;
}

void streams_event(const bindings_event_t *event) {
  /* A call that has only started needs nothing. */
  if (event->event != BINDINGS_EVENT_SUBTASK || event->code < BINDINGS_SUBTASK_RETURNED) return;
  streams_call_t *call = of(event->waitable)->call;
  if (!call) return;
  bindings_waitable_join(event->waitable, 0);
  ended(call, STREAMS_DONE);
  deliver(call);
}

void streams_loop_open(streams_loop_t *loop) { *loop = (streams_loop_t){.set = bindings_waitable_set_new()}; }

streams_status_t streams_loop_close(streams_loop_t *loop) {
  if (!loop->set) return STREAMS_CLOSED_LOOP;
  if (loop->pending) return STREAMS_CALLS_PENDING;
  while (loop->done) unlink_call(loop->done);
  bindings_waitable_set_drop(loop->set);
  loop->set = 0;
  return STREAMS_DONE;
}

static void wait_once(streams_loop_t *loop) {
  bindings_event_t event;
  bindings_waitable_set_wait(loop->set, &event);
  streams_event(&event);
}

streams_status_t streams_wait(streams_call_t *call) {
  if (!call->loop) return STREAMS_NOT_STARTED;
  if (call->state == STREAMS_PENDING && !blocking_allowed) return STREAMS_WOULD_BLOCK;
  while (call->state == STREAMS_PENDING) wait_once(call->loop);
  unlink_call(call);
  return call->state;
}

streams_status_t streams_cancel(streams_call_t *call) {
  if (!call->loop) return STREAMS_NOT_STARTED;
  if (call->state == STREAMS_PENDING) {
    bindings_waitable_join(call->subtask, 0); /* Cancelling a member of a set is a trap. */
    bindings_subtask_status_t status = bindings_subtask_cancel(call->subtask);
    bool returned = BINDINGS_SUBTASK_STATE(status) == BINDINGS_SUBTASK_RETURNED;
    ended(call, returned ? STREAMS_DONE : STREAMS_CANCELLED);
  }
  unlink_call(call);
  return call->state;
}

size_t streams_cancel_all(streams_loop_t *loop) {
  streams_call_t *returned = NULL;
  size_t n = 0;
  while (loop->pending) {
    streams_call_t *call = loop->pending;
    if (streams_cancel(call) == STREAMS_DONE) push_to(&returned, call), n++;
  }
  while (returned) {
    streams_call_t *call = returned;
    unlink_call(call);
    deliver(call);
  }
  return n;
}

streams_status_t streams_wait_for(streams_call_t *call, uint64_t nanoseconds) {
  if (!call->loop) return STREAMS_NOT_STARTED;
  if (call->state != STREAMS_PENDING || !blocking_allowed) return streams_wait(call);
  streams_call_t clock = {0};
  streams_sleep(call->loop, &clock, nanoseconds);
  while (call->state == STREAMS_PENDING && clock.state == STREAMS_PENDING) wait_once(call->loop);
  bool late = call->state == STREAMS_PENDING;
  streams_cancel(&clock);
  streams_status_t status = streams_cancel(call);
  return late && status == STREAMS_CANCELLED ? STREAMS_TIMED_OUT : status;
}

streams_call_t *streams_select(streams_loop_t *loop) {
  while (!loop->done && loop->pending && blocking_allowed) wait_once(loop);
  streams_call_t *call = loop->done;
  if (call) unlink_call(call);
  return call;
}

streams_call_t *streams_select_for(streams_loop_t *loop, uint64_t nanoseconds) {
  if (loop->done || !loop->pending) return streams_select(loop);
  streams_call_t clock = {0};
  streams_sleep(loop, &clock, nanoseconds);
  streams_call_t *call = streams_select(loop);
  if (call == &clock) return NULL;
  streams_cancel(&clock);
  return call;
}

bool streams_is_used(int32_t handle) { return (uint32_t)handle < handles_len && of((uint32_t)handle)->calls; }

const char *streams_status_text(streams_status_t status) {
  switch (status) {
    case STREAMS_DONE: return "done";
    case STREAMS_PENDING: return "pending";
    case STREAMS_CANCELLED: return "cancelled";
    case STREAMS_TIMED_OUT: return "the time has passed";
    case STREAMS_IN_USE: return "the call is pending already: use another one, or wait for it";
    case STREAMS_NOT_STARTED: return "the call was never started";
    case STREAMS_CALLS_PENDING: return "calls are pending: wait for them or cancel them first";
    case STREAMS_WOULD_BLOCK: return "a handler must not block: use STREAMS_AWAIT";
    case STREAMS_CLOSED_LOOP: return "the loop is not open: streams_loop_open comes first";
  }
  return "no status";
}
