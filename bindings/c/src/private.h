/* Shared by the sources. */
#ifndef ASYNCIO_STREAMS_PRIVATE_H
#define ASYNCIO_STREAMS_PRIVATE_H
#include "asyncio_streams.h"

/* Called before a call: returns STREAMS_PENDING, or the caller's mistake. */
streams_status_t streams_begin(streams_loop_t *loop, streams_call_t *call);
/* Called after a call: adds it to its loop, and counts it for the resources that it uses (0 is none). */
streams_status_t streams_started(streams_call_t *call, bindings_subtask_status_t status, int32_t one, int32_t other);
/* Called instead of it when the result is available without a call. */
streams_status_t streams_done(streams_call_t *call);
/* Handles an event. */
void streams_event(const bindings_event_t *event);
/* Returns whether a call on the resource is pending. */
bool streams_is_used(int32_t handle);
#endif
