/* The peer in C: lines, and messages there and back, as client and as server. */
#include "asyncio_streams.h"
#include "job.h"

#define API(name) asyncio_streams_streams_##name

static streams_loop_t loop;

/* Waits for a read, unless it is done, and frees its result. Returns whether it had bytes; prints why not. */
static bool had_bytes(streams_call_t *call, streams_bytes_result_t *bytes) {
  streams_wait(call);
  if (bytes->is_err) return streams_fail("read", &bytes->val.err), false;
  bool some = bytes->val.ok.len;
  bindings_list_u8_free(&bytes->val.ok);
  return some || (fputs("the other side ended the connection\n", stderr), false);
}

static void lines(streams_reader_t reader, meter_t *meter) {
  streams_call_t call = {0};
  for (bool more = true; more;) {
    streams_bytes_result_t block;
    streams_readlines(&loop, &call, reader, BENCH_CHUNK, &block);
    streams_wait(&call);
    streams_bytes_t rest = block.is_err ? (streams_bytes_t){0} : block.val.ok, line;
    while (more && streams_cut_line(&rest, &line)) more = meter_go_on(meter);
    more = had_bytes(&call, &block) && more;
  }
}

static void echo(streams_reader_t reader, streams_writer_t writer, streams_bytes_t message, meter_t *meter) {
  streams_call_t call = {0};
  streams_bytes_result_t answer;
  streams_result_t sent;
  while (meter_go_on(meter)) {
    streams_send(&loop, &call, writer, message, &sent);
    streams_wait(&call);
    if (sent.is_err) {
      streams_fail("send", &sent.val.err);
      return;
    }
    streams_readexactly(&loop, &call, reader, (uint32_t)message.len, &answer);
    if (!had_bytes(&call, &answer)) return;
  }
}

static int client(const job_t *job) {
  API(open_connection_args_t) args = {.port = job->port};
  bindings_string_set(&args.host, job->host);
  streams_call_t call = {0};
  streams_connection_result_t opened;
  streams_open_connection(&loop, &call, &args, &opened);
  streams_wait(&call);
  if (opened.is_err) return streams_fail("connect", &opened.val.err);
  meter_t meter = meter_start(job);
  if (!strcmp(job->kind, "lines")) {
    lines(opened.val.ok.f0, &meter);
  } else if (!strcmp(job->kind, "echo")) {
    streams_bytes_t message = {malloc(job->size), job->size};
    if (!message.ptr) return fputs("no memory for a message\n", stderr), 1;
    memset(message.ptr, 'x', message.len);
    echo(opened.val.ok.f0, opened.val.ok.f1, message, &meter);
    free(message.ptr);
  }
  streams_drop_reader(opened.val.ok.f0), streams_drop_writer(opened.val.ok.f1);
  return meter_report(&meter);
}

/* A client of the server: it is read from, then written to. */
struct client {
  streams_call_t call;
  streams_reader_t reader;
  streams_writer_t writer;
  bool sending;
  streams_bytes_result_t bytes;
  streams_result_t sent;
};

/* Starts the next call of a client whose last one is done; drops the client after its end or an error. */
static void step(struct client *c) {
  bool ended = c->sending ? c->sent.is_err : c->bytes.is_err || !c->bytes.val.ok.len;
  if (!ended && !c->sending) {
    c->sending = true;
    streams_send(&loop, &c->call, c->writer, c->bytes.val.ok, &c->sent);
    return;
  }
  if (c->sending) API(result_void_error_free)(&c->sent);
  API(result_list_u8_error_free)(&c->bytes);
  if (!ended) {
    c->sending = false;
    streams_read(&loop, &c->call, c->reader, BENCH_CHUNK, &c->bytes);
    return;
  }
  streams_drop_reader(c->reader), streams_drop_writer(c->writer);
  free(c);
}

static void add(streams_connection_result_t *accepted) {
  struct client *c = accepted->is_err ? NULL : calloc(1, sizeof *c);
  if (!c) {
    API(result_tuple2_own_reader_own_writer_error_free)(accepted);
    return;
  }
  c->reader = accepted->val.ok.f0, c->writer = accepted->val.ok.f1;
  c->call.data = c;
  streams_read(&loop, &c->call, c->reader, BENCH_CHUNK, &c->bytes);
}

static int serve(const job_t *job) {
  bindings_string_t host;
  bindings_string_set(&host, job->host);
  API(start_server_args_t) args = {.hosts = {&host, 1}, .port = job->port};
  streams_call_t call = {0};
  streams_server_result_t started;
  streams_start_server(&loop, &call, &args, &started);
  streams_wait(&call);
  if (started.is_err) return streams_fail("listen", &started.val.err);
  API(list_address_t) addresses;
  API(method_server_sockets)(API(borrow_server)(started.val.ok), &addresses);
  char address[80];
  streams_address_text(&addresses.ptr[0], address, sizeof address);
  API(list_address_free)(&addresses);
  printf("listening on %s\n", address), fflush(stdout);

  streams_connection_result_t accepted;
  streams_accept(&loop, &call, started.val.ok, &accepted);
  for (streams_call_t *done; (done = streams_select(&loop));) {
    if (done != &call) {
      step((struct client *)done->data);
      continue;
    }
    add(&accepted);
    streams_accept(&loop, &call, started.val.ok, &accepted);
  }
  return 1;
}

int streams_main(int argc, char **argv) {
  job_t job;
  if (!job_read(argc, argv, &job)) return 1;
  streams_loop_open(&loop);
  return job.server ? serve(&job) : client(&job);
}
