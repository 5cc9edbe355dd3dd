/* A handler that tries to block, waits for a line or for 50 ms, and reports the result. A client that sends `nothing`
 * makes it wait without a pending call, and one that sends `fail` makes it fail. */
#include <stdlib.h>
#include <string.h>

#include "asyncio_streams.h"

struct client {
  streams_task_t task;
  streams_call_t call, clock;
  streams_bytes_result_t line;
  streams_result_t sent;
  streams_status_t status;
};

static void say(streams_task_t *task, const char *text) {
  streams_bytes_t bytes = {(uint8_t *)text, strlen(text)};
  streams_error_t error;
  if (!asyncio_streams_streams_method_writer_write(asyncio_streams_streams_borrow_writer(task->writer), &bytes, &error))
    asyncio_streams_streams_error_free(&error);
}

static bool is(const struct client *c, const char *text) {
  return !c->line.is_err && c->line.val.ok.len == strlen(text) && !memcmp(c->line.val.ok.ptr, text, strlen(text));
}

static bool serve(streams_task_t *task) {
  struct client *c = (struct client *)task;
  STREAMS_BEGIN(task);
  streams_readline(&task->loop, &c->call, task->reader, &c->line);
  if (c->call.state == STREAMS_PENDING) {
    say(task, streams_status_text(streams_wait(&c->call)));
    say(task, streams_select(&task->loop) ? "" : "\n");
  }
  streams_sleep(&task->loop, &c->clock, 50000000);
  STREAMS_AWAIT_EITHER(task, &c->call, &c->clock);
  streams_cancel(&c->clock);
  c->status = streams_cancel(&c->call);
  if (c->status == STREAMS_CANCELLED) {
    say(task, "late\n");
    return true;
  }
  bool nothing = is(c, "nothing\n");
  if (is(c, "fail\n")) task->error = "as the client wished";
  asyncio_streams_streams_result_list_u8_error_free(&c->line);
  if (nothing) return false;
  say(task, "in time\n");
  STREAMS_END(task);
}

static void end(streams_task_t *task) { free(task); }

streams_task_t *streams_client_connected(void) {
  struct client *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->task.step = serve, c->task.end = end;
  return &c->task;
}
