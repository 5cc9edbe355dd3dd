/* What the sources share. */
#ifndef ASYNCIO_STREAMS_PRIVATE_H
#define ASYNCIO_STREAMS_PRIVATE_H
#include "asyncio_streams.h"

/* Before a call is made: STREAMS_PENDING, or the mistake that forbids it. */
streams_status_t streams_begin(streams_loop_t *loop, streams_call_t *call);
/* After it was made: files it under its loop, and counts it for the resources that it uses (0 is none). */
streams_status_t streams_started(streams_call_t *call, bindings_subtask_status_t status, int32_t one, int32_t other);
/* Takes note of an event. */
void streams_event(const bindings_event_t *event);
/* Whether a call on the resource is pending. */
bool streams_is_used(int32_t handle);
#endif
