/* asyncio:streams in C: calls that wait together, deadlines, cancelling without traps, and texts of errors.
 *
 * The functions of the interface are in `bindings.h`, as `wit-bindgen c --rename-world bindings` generates them. This
 * header adds what a program needs to wait for them. `README.md` beside this folder shows how to build a program.
 *
 * Every async function of the interface has a function here that starts it: `streams_readline` for `readline`. It takes
 * a loop and a call, which must stay where they are until the call is done, as must the result and every string, list
 * or argument struct that was given by address. A call is done when a function here returned STREAMS_DONE for it or
 * gave it out. Then its result is filled in, and the caller frees it.
 *
 * With `--sync all` the generated functions block by themselves. Then define STREAMS_BLOCKING: only the names of types
 * and the texts of errors remain. */
#ifndef ASYNCIO_STREAMS_H
#define ASYNCIO_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef asyncio_streams_streams_own_reader_t streams_reader_t;
typedef asyncio_streams_streams_own_writer_t streams_writer_t;
typedef asyncio_streams_streams_own_server_t streams_server_t;
typedef asyncio_streams_types_error_t streams_error_t;
typedef bindings_list_u8_t streams_bytes_t;

/* The name of an error's case, as the interface has it: `limit-overrun`. Never freed. */
const char *streams_error_name(const streams_error_t *error);

/* Writes what went wrong into `text`, as one line of at most `size` bytes with its final NUL, and returns the length
 * that the whole text has, as snprintf does. Control characters of messages are written as `\x1b`. */
size_t streams_error_text(const streams_error_t *error, char *text, size_t size);

/* Writes an address as `192.0.2.1:80` or `[2001:db8::1]:80`; returns what snprintf would. */
size_t streams_address_text(const asyncio_streams_types_address_t *address, char *text, size_t size);

/* Writes bytes of a peer for people, with control characters as `\x1b`; returns what snprintf would. */
size_t streams_escaped(const uint8_t *bytes, size_t length, char *text, size_t size);

/* What a command defines: its program. The arguments begin with the name of the command and end with NULL, as those of
 * `main`. When it returns, closed connections linger, so that their peers lose nothing; 0 is success. */
int streams_main(int argc, char **argv);

#ifndef STREAMS_BLOCKING

typedef enum streams_status {
  /* The result is there. */
  STREAMS_DONE = 0,
  /* It waits. */
  STREAMS_PENDING = 1,
  /* It was cancelled, and has no result. */
  STREAMS_CANCELLED = 2,
  /* The time has passed first. The call was cancelled, and has no result. */
  STREAMS_TIMED_OUT = 3,
  /* Mistakes of the caller; nothing has happened. `streams_status_text` names them. */
  STREAMS_IN_USE = -1,
  STREAMS_NOT_STARTED = -2,
  STREAMS_CALLS_PENDING = -3,
  STREAMS_WOULD_BLOCK = -4,
  STREAMS_CLOSED_LOOP = -5,
} streams_status_t;

/* What a status means, and what to do about a mistake. Never freed. */
const char *streams_status_text(streams_status_t status);

typedef struct streams_call streams_call_t;

/* The calls that one part of a program waits for. Fields are private. */
typedef struct streams_loop {
  bindings_waitable_set_t set;
  streams_call_t *pending, *done, **last;
} streams_loop_t;

/* One call. All bytes zero is a call that was not started. Of the fields, `data` is the caller's. */
struct streams_call {
  void *data;
  streams_loop_t *loop;
  streams_call_t *next, **link;
  uint32_t subtask;
  int32_t resources[2];
  streams_status_t state;
};

/* Makes a loop. */
void streams_loop_open(streams_loop_t *loop);

/* Ends a loop. STREAMS_CALLS_PENDING if calls are pending: wait for them, or `streams_cancel_all`. */
streams_status_t streams_loop_close(streams_loop_t *loop);

/* Waits until this call is done; others that are done meanwhile stay for `streams_select`. */
streams_status_t streams_wait(streams_call_t *call);

/* As `streams_wait`, but cancels the call after this time and returns STREAMS_TIMED_OUT. A result that comes while the
 * call is cancelled is not lost: then the status is STREAMS_DONE. */
streams_status_t streams_wait_for(streams_call_t *call, uint64_t nanoseconds);

/* Waits for the next call that is done, and gives each out once; NULL when none is left. */
streams_call_t *streams_select(streams_loop_t *loop);

/* As `streams_select`; NULL also after this time, and then every call goes on. */
streams_call_t *streams_select_for(streams_loop_t *loop, uint64_t nanoseconds);

/* Cancels a call. STREAMS_CANCELLED, or STREAMS_DONE if it had its result already, which the caller then frees. */
streams_status_t streams_cancel(streams_call_t *call);

/* Cancels every pending call, and returns how many had their results already: their calls have the state STREAMS_DONE
 * and are given out by `streams_select`. */
size_t streams_cancel_all(streams_loop_t *loop);

/* Drop a resource; STREAMS_CALLS_PENDING, and nothing dropped, while a call on it is pending. */
streams_status_t streams_drop_reader(streams_reader_t reader);
streams_status_t streams_drop_writer(streams_writer_t writer);
streams_status_t streams_drop_server(streams_server_t server);
streams_status_t streams_drop_connect_options(asyncio_streams_streams_own_connect_options_t options);
streams_status_t streams_drop_server_options(asyncio_streams_streams_own_server_options_t options);

/* Functions that start a call. STREAMS_DONE when the result is there at once, else STREAMS_PENDING. STREAMS_IN_USE if the
 * call is pending, STREAMS_CLOSED_LOOP if the loop is not open: then nothing was started. */
#define STREAMS_START streams_loop_t *loop, streams_call_t *call

typedef asyncio_streams_streams_result_list_u8_error_t streams_bytes_result_t;
typedef asyncio_streams_streams_result_void_error_t streams_result_t;
typedef asyncio_streams_streams_result_tuple2_own_reader_own_writer_error_t streams_connection_result_t;
typedef asyncio_streams_streams_result_own_server_error_t streams_server_result_t;

streams_status_t streams_open_connection(STREAMS_START, asyncio_streams_streams_open_connection_args_t *args, streams_connection_result_t *result);
streams_status_t streams_start_server(STREAMS_START, asyncio_streams_streams_start_server_args_t *args, streams_server_result_t *result);
streams_status_t streams_linger(STREAMS_START);
streams_status_t streams_sleep(STREAMS_START, uint64_t nanoseconds);

/* Up to `n` bytes; STREAMS_TO_THE_END for all to the end. */
#define STREAMS_TO_THE_END UINT64_MAX
streams_status_t streams_read(STREAMS_START, streams_reader_t reader, uint64_t n, streams_bytes_result_t *result);
streams_status_t streams_readline(STREAMS_START, streams_reader_t reader, streams_bytes_result_t *result);
streams_status_t streams_readexactly(STREAMS_START, streams_reader_t reader, uint32_t n, streams_bytes_result_t *result);
streams_status_t streams_readuntil(STREAMS_START, streams_reader_t reader, bindings_list_list_u8_t separators, streams_bytes_result_t *result);
streams_status_t streams_readlines(STREAMS_START, streams_reader_t reader, uint32_t max_bytes, streams_bytes_result_t *result);
streams_status_t streams_wait_readable(STREAMS_START, streams_reader_t reader, asyncio_streams_streams_wanted_t want, streams_result_t *result);

streams_status_t streams_drain(STREAMS_START, streams_writer_t writer, streams_result_t *result);
streams_status_t streams_send(STREAMS_START, streams_writer_t writer, streams_bytes_t data, streams_result_t *result);
streams_status_t streams_flush(STREAMS_START, streams_writer_t writer, streams_result_t *result);
streams_status_t streams_wait_closed(STREAMS_START, streams_writer_t writer, streams_result_t *result);
streams_status_t streams_start_tls(STREAMS_START, asyncio_streams_streams_method_writer_start_tls_args_t *args, streams_result_t *result);
streams_status_t streams_start_tls_server(STREAMS_START, streams_writer_t writer, streams_reader_t reader, asyncio_streams_tls_borrow_server_config_t config, streams_result_t *result);

streams_status_t streams_accept(STREAMS_START, streams_server_t server, streams_connection_result_t *result);
streams_status_t streams_wait_connection(STREAMS_START, streams_server_t server, streams_result_t *result);
streams_status_t streams_server_wait_closed(STREAMS_START, streams_server_t server);
streams_status_t streams_server_shutdown(STREAMS_START, streams_server_t server, uint64_t grace_nanoseconds, uint32_t *aborted);

/* A handler: one task for each client, which never blocks. `streams_wait` and its kind return STREAMS_WOULD_BLOCK in
 * it, unless what they wait for is done. `step` is called at the beginning, and again whenever a call of its loop is
 * done. It returns false to wait, true at the end.
 *
 *   static bool serve(streams_task_t *task) {
 *     struct client *c = (struct client *)task;
 *     STREAMS_BEGIN(task);
 *     streams_readline(&task->loop, &c->call, task->reader, &c->line);
 *     STREAMS_AWAIT(task, &c->call);
 *     ...
 *     STREAMS_END(task);
 *   }
 *
 * Local variables do not survive STREAMS_AWAIT: what must is kept in the client's struct. STREAMS_AWAIT cannot stand in
 * a `switch`. */
typedef struct streams_task streams_task_t;
struct streams_task {
  streams_loop_t loop;
  /* Dropped at the end, which closes the connection. */
  streams_reader_t reader;
  streams_writer_t writer;
  int line;
  bool (*step)(streams_task_t *task);
  /* Frees the task, and the results of the calls that `streams_select` still gives out. */
  void (*end)(streams_task_t *task);
  /* What the caller of the handler writes to its log; NULL is success. */
  const char *error;
};

/* What a handler defines: makes the task of a client, with `step` and `end` filled in and the rest zero. NULL when there
 * is no memory: the client is dropped, and the log says so. */
streams_task_t *streams_client_connected(void);

#define STREAMS_BEGIN(task) switch ((task)->line) { case 0:
#define STREAMS_AWAIT(task, call) \
  do { (task)->line = __LINE__; __attribute__((fallthrough)); case __LINE__: if ((call)->state == STREAMS_PENDING) return false; } while (0)
#define STREAMS_AWAIT_EITHER(task, one, other) \
  do { (task)->line = __LINE__; __attribute__((fallthrough)); case __LINE__: \
    if ((one)->state == STREAMS_PENDING && (other)->state == STREAMS_PENDING) return false; } while (0)
#define STREAMS_END(task) } return true

/* For other languages over this header: the calls of one task are being stepped, so nothing may block. */
void streams_may_block(bool may);

#endif /* STREAMS_BLOCKING */

#ifdef __cplusplus
}
#endif
#endif
