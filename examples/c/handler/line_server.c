/* A line server: `serve.wasm` calls it for each client, and it sends every line back. */
#include <stdlib.h>

#include "asyncio_streams.h"

struct client {
  streams_task_t task;
  streams_call_t call;
  streams_bytes_result_t line;
  streams_result_t result;
};

static bool serve(streams_task_t *task) {
  struct client *c = (struct client *)task;
  asyncio_streams_streams_borrow_writer_t writer = asyncio_streams_streams_borrow_writer(task->writer);
  streams_error_t error;
  STREAMS_BEGIN(task);
  for (;;) {
    streams_readline(&task->loop, &c->call, task->reader, &c->line);
    STREAMS_AWAIT(task, &c->call);
    bool more = !c->line.is_err && c->line.val.ok.len;
    if (more && !asyncio_streams_streams_method_writer_write(writer, &c->line.val.ok, &error)) {
      asyncio_streams_streams_error_free(&error);
      more = false;
    }
    asyncio_streams_streams_result_list_u8_error_free(&c->line);
    if (!more) break;
    streams_drain(&task->loop, &c->call, task->writer, &c->result);
    STREAMS_AWAIT(task, &c->call);
    more = !c->result.is_err;
    asyncio_streams_streams_result_void_error_free(&c->result);
    if (!more) break;
  }
  STREAMS_END(task);
}

static void end(streams_task_t *task) { free(task); }

streams_task_t *streams_client_connected(void) {
  struct client *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->task.step = serve, c->task.end = end;
  return &c->task;
}
