/* One function for each async function of the interface, and one for each resource that can be dropped. */
#include "private.h"

#define API(name) asyncio_streams_streams_##name
#define READER(name, ...) API(method_reader_##name)(API(borrow_reader)(reader), __VA_ARGS__)
#define WRITER(name, ...) API(method_writer_##name)(API(borrow_writer)(writer), __VA_ARGS__)
#define SERVER(name, ...) API(method_server_##name)(API(borrow_server)(server), __VA_ARGS__)

/* Starts a call on the resources `one` and `other`, unless that would be a mistake. */
#define START(one, other, ...) \
  streams_status_t status = streams_begin(loop, call); \
  return status == STREAMS_PENDING ? streams_started(call, __VA_ARGS__, one, other) : status

/* Returns from the caller if the call would be a mistake. */
#define BEGIN \
  streams_status_t begun = streams_begin(loop, call); \
  if (begun != STREAMS_PENDING) return begun

/* Returns from the caller if a read need not wait. An async call costs several times as much, even if its answer is there. */
#define TRY(...) \
  BEGIN; \
  bindings_option_list_u8_t some; \
  result->is_err = !READER(__VA_ARGS__, &some, &result->val.err); \
  if (!result->is_err && some.is_some) result->val.ok = some.val; \
  if (result->is_err || some.is_some) return streams_done(call)

/* Does the same for a drain of a queue that is short enough. */
#define TRY_DRAIN \
  bool drained; \
  result->is_err = !WRITER(try_drain, &drained, &result->val.err); \
  if (result->is_err || drained) return streams_done(call)

streams_status_t streams_open_connection(STREAMS_START, API(open_connection_args_t) * args, streams_connection_result_t *result) {
  START(args->options.is_some ? args->options.val.__handle : 0, 0, API(open_connection)(args, result));
}
streams_status_t streams_start_server(STREAMS_START, API(start_server_args_t) * args, streams_server_result_t *result) {
  START(args->options.is_some ? args->options.val.__handle : 0, 0, API(start_server)(args, result));
}
streams_status_t streams_linger(STREAMS_START) { START(0, 0, API(linger)()); }
streams_status_t streams_sleep(STREAMS_START, uint64_t nanoseconds) {
  START(0, 0, wasi_clocks_monotonic_clock_wait_for(nanoseconds));
}

streams_status_t streams_read(STREAMS_START, streams_reader_t reader, uint64_t n, streams_bytes_result_t *result) {
  bindings_option_u32_t most = {n != STREAMS_TO_THE_END, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n};
  if (most.is_some) {
    TRY(try_read, most.val);
  }
  START(reader.__handle, 0, READER(read, most, result));
}
streams_status_t streams_readline(STREAMS_START, streams_reader_t reader, streams_bytes_result_t *result) {
  TRY(try_readline);
  START(reader.__handle, 0, READER(readline, result));
}
streams_status_t streams_readexactly(STREAMS_START, streams_reader_t reader, uint32_t n, streams_bytes_result_t *result) {
  TRY(try_readexactly, n);
  START(reader.__handle, 0, READER(readexactly, n, result));
}
streams_status_t streams_readuntil(STREAMS_START, streams_reader_t reader, bindings_list_list_u8_t separators, streams_bytes_result_t *result) {
  TRY(try_readuntil, &separators);
  START(reader.__handle, 0, READER(readuntil, separators, result));
}
streams_status_t streams_readlines(STREAMS_START, streams_reader_t reader, uint32_t max_bytes, streams_bytes_result_t *result) {
  TRY(try_readlines, max_bytes);
  START(reader.__handle, 0, READER(readlines, max_bytes, result));
}
streams_status_t streams_wait_readable(STREAMS_START, streams_reader_t reader, API(wanted_t) want, streams_result_t *result) {
  START(reader.__handle, 0, READER(wait, want, result));
}

streams_status_t streams_drain(STREAMS_START, streams_writer_t writer, streams_result_t *result) {
  BEGIN;
  TRY_DRAIN;
  START(writer.__handle, 0, WRITER(drain, result));
}
streams_status_t streams_send(STREAMS_START, streams_writer_t writer, streams_bytes_t data, streams_result_t *result) {
  BEGIN;
  result->is_err = !WRITER(write, &data, &result->val.err);
  if (result->is_err) return streams_done(call);
  TRY_DRAIN;
  START(writer.__handle, 0, WRITER(drain, result));
}
streams_status_t streams_flush(STREAMS_START, streams_writer_t writer, streams_result_t *result) {
  START(writer.__handle, 0, WRITER(flush, result));
}
streams_status_t streams_wait_closed(STREAMS_START, streams_writer_t writer, streams_result_t *result) {
  START(writer.__handle, 0, WRITER(wait_closed, result));
}
streams_status_t streams_start_tls(STREAMS_START, API(method_writer_start_tls_args_t) * args, streams_result_t *result) {
  START(args->self.__handle, args->reader.__handle, API(method_writer_start_tls)(args, result));
}
streams_status_t streams_start_tls_server(STREAMS_START, streams_writer_t writer, streams_reader_t reader, asyncio_streams_tls_borrow_server_config_t config, streams_result_t *result) {
  START(writer.__handle, reader.__handle, WRITER(start_tls_server, API(borrow_reader)(reader), config, result));
}

streams_status_t streams_accept(STREAMS_START, streams_server_t server, streams_connection_result_t *result) {
  BEGIN;
  API(option_tuple2_own_reader_own_writer_t) some;
  result->is_err = !SERVER(try_accept, &some, &result->val.err);
  if (!result->is_err && some.is_some) result->val.ok = some.val;
  if (result->is_err || some.is_some) return streams_done(call);
  START(server.__handle, 0, SERVER(accept, result));
}
streams_status_t streams_wait_connection(STREAMS_START, streams_server_t server, streams_result_t *result) {
  START(server.__handle, 0, SERVER(wait_connection, result));
}
streams_status_t streams_server_wait_closed(STREAMS_START, streams_server_t server) {
  START(server.__handle, 0, API(method_server_wait_closed)(API(borrow_server)(server)));
}
streams_status_t streams_server_shutdown(STREAMS_START, streams_server_t server, uint64_t grace_nanoseconds, uint32_t *aborted) {
  START(server.__handle, 0, SERVER(shutdown, grace_nanoseconds, aborted));
}

#define DROP(type, name) \
  streams_status_t streams_drop_##name(type resource) { \
    if (streams_is_used(resource.__handle)) return STREAMS_CALLS_PENDING; \
    API(name##_drop_own)(resource); \
    return STREAMS_DONE; \
  }
DROP(streams_reader_t, reader)
DROP(streams_writer_t, writer)
DROP(streams_server_t, server)
DROP(API(own_connect_options_t), connect_options)
DROP(API(own_server_options_t), server_options)
