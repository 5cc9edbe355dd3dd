/* The export of a handler: one task for each client, stepped whenever one of its calls is done. */
#include <string.h>

#include "private.h"

static void finish(streams_task_t *task, bool cancelled) {
  streams_cancel_all(&task->loop);
  streams_drop_reader(task->reader);
  streams_drop_writer(task->writer);
  exports_asyncio_streams_handler_result_void_string_t result = {0};
  if (task->error) {
    result.is_err = true;
    bindings_string_set(&result.val.err, task->error);
  }
  bindings_waitable_set_t set = task->loop.set;
  bindings_context_set_0(NULL);
  if (cancelled) bindings_task_cancel();
  else exports_asyncio_streams_handler_client_connected_return(result);
  task->end(task);
  bindings_waitable_set_drop(set);
}

static bindings_callback_code_t step(streams_task_t *task) {
  streams_may_block(false);
  bool ended = task->step(task);
  streams_may_block(true);
  if (!ended && task->loop.pending) {
    bindings_context_set_0(task);
    return BINDINGS_CALLBACK_CODE_WAIT(task->loop.set);
  }
  if (!ended) task->error = "the handler waits for nothing: no call of its loop is pending";
  finish(task, false);
  return BINDINGS_CALLBACK_CODE_EXIT;
}

bindings_callback_code_t exports_asyncio_streams_handler_client_connected(exports_asyncio_streams_handler_own_reader_t reader, exports_asyncio_streams_handler_own_writer_t writer) {
  streams_task_t *task = streams_client_connected();
  if (!task) {
    asyncio_streams_streams_reader_drop_own(reader);
    asyncio_streams_streams_writer_drop_own(writer);
    exports_asyncio_streams_handler_result_void_string_t result = {.is_err = true};
    bindings_string_set(&result.val.err, "no memory for another client");
    exports_asyncio_streams_handler_client_connected_return(result);
    return BINDINGS_CALLBACK_CODE_EXIT;
  }
  task->reader = reader, task->writer = writer;
  streams_loop_open(&task->loop);
  return step(task);
}

bindings_callback_code_t exports_asyncio_streams_handler_client_connected_callback(bindings_event_t *event) {
  streams_task_t *task = bindings_context_get_0();
  if (event->event == BINDINGS_EVENT_CANCEL) {
    finish(task, true);
    return BINDINGS_CALLBACK_CODE_EXIT;
  }
  streams_event(event);
  return step(task);
}
