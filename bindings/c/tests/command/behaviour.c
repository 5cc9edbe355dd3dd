/* Checks the promises of the header against an echo server of lines: select, deadlines, cancelling, texts of errors,
 * and that mistakes are errors and not traps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asyncio_streams.h"

#define API(name) asyncio_streams_streams_##name
#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), exit(1)))

typedef struct {
  streams_reader_t reader;
  streams_writer_t writer;
  streams_call_t call;
  streams_bytes_result_t line;
} peer_t;

static const char *host;
static uint16_t port;
static streams_loop_t loop;

static peer_t *open_peer(void) {
  peer_t *peer = calloc(1, sizeof *peer);
  API(open_connection_args_t) args = {.port = port};
  bindings_string_set(&args.host, host);
  streams_connection_result_t result;
  CHECK(streams_open_connection(&loop, &peer->call, &args, &result) >= STREAMS_DONE);
  CHECK(streams_wait(&peer->call) == STREAMS_DONE && !result.is_err);
  peer->reader = result.val.ok.f0, peer->writer = result.val.ok.f1;
  peer->call.data = peer;
  return peer;
}

static void say(peer_t *peer, const char *text) {
  streams_bytes_t bytes = {(uint8_t *)text, strlen(text)};
  streams_error_t error;
  CHECK(API(method_writer_write)(API(borrow_writer)(peer->writer), &bytes, &error));
}

static streams_status_t readline(peer_t *peer) { return streams_readline(&loop, &peer->call, peer->reader, &peer->line); }

/* Returns whether the read line is this one; frees it. */
static bool got(peer_t *peer, const char *text) {
  bool same = !peer->line.is_err && peer->line.val.ok.len == strlen(text) && !memcmp(peer->line.val.ok.ptr, text, strlen(text));
  API(result_list_u8_error_free)(&peer->line);
  return same;
}

static void close_peer(peer_t *peer) {
  CHECK(streams_drop_reader(peer->reader) == STREAMS_DONE);
  CHECK(streams_drop_writer(peer->writer) == STREAMS_DONE);
  free(peer);
}

/* Lines of a block, without a copy. */
static void blocks_of_lines(void) {
  peer_t *peer = open_peer();
  static const char text[] = "one\n\ntwo and more\n";
  say(peer, text);
  size_t heard = 0;
  while (heard < sizeof text - 1) {
    streams_readlines(&loop, &peer->call, peer->reader, 1 << 16, &peer->line);
    CHECK(streams_wait(&peer->call) == STREAMS_DONE && !peer->line.is_err);
    streams_bytes_t rest = peer->line.val.ok, line;
    while (streams_cut_line(&rest, &line)) {
      CHECK(line.ptr[line.len - 1] == '\n' && !memchr(line.ptr, '\n', line.len - 1));
      CHECK(!memcmp(line.ptr, text + heard, line.len));
      heard += line.len;
    }
    CHECK(!rest.len);
    API(result_list_u8_error_free)(&peer->line);
  }
  streams_bytes_t rest = {(uint8_t *)"no end", 6}, line;
  CHECK(streams_cut_line(&rest, &line) && line.len == 6 && !streams_cut_line(&rest, &line) && !line.len);
  close_peer(peer);
}

static void two_at_once(void) {
  peer_t *one = open_peer(), *two = open_peer();
  readline(one), readline(two);
  say(two, "two\n");
  CHECK(streams_select(&loop) == &two->call && got(two, "two\n"));
  say(one, "one\n");
  CHECK(streams_select(&loop) == &one->call && got(one, "one\n"));
  CHECK(streams_select(&loop) == NULL);
  close_peer(one), close_peer(two);
}

static void many_at_once(void) {
  enum { MANY = 200 };
  peer_t *peers[MANY];
  for (int i = 0; i < MANY; i++) peers[i] = open_peer(), readline(peers[i]);
  for (int i = 0; i < MANY; i++) {
    char line[32];
    snprintf(line, sizeof line, "line %d\n", i);
    say(peers[i], line);
  }
  int n = 0;
  for (streams_call_t *call; (call = streams_select(&loop)); n++) {
    peer_t *peer = call->data;
    int i = 0;
    while (peers[i] != peer) i++;
    char line[32];
    snprintf(line, sizeof line, "line %d\n", i);
    CHECK(got(peer, line));
  }
  CHECK(n == MANY);
  for (int i = 0; i < MANY; i++) close_peer(peers[i]);
}

static void deadlines(void) {
  peer_t *peer = open_peer();
  readline(peer);
  CHECK(streams_wait_for(&peer->call, 20000000) == STREAMS_TIMED_OUT);
  CHECK(streams_select_for(&loop, 1000000) == NULL);
  say(peer, "kept\n");
  readline(peer);
  CHECK(streams_select_for(&loop, 1000000) == NULL || got(peer, "kept\n"));
  if (peer->call.state == STREAMS_PENDING) CHECK(streams_wait_for(&peer->call, 10000000000) == STREAMS_DONE && got(peer, "kept\n"));
  streams_call_t clock = {0};
  CHECK(streams_sleep(&loop, &clock, 1000000) == STREAMS_PENDING);
  CHECK(streams_select(&loop) == &clock);
  close_peer(peer);
}

static void cancelling(void) {
  peer_t *peer = open_peer(), *other = open_peer();
  readline(peer);
  CHECK(streams_cancel(&peer->call) == STREAMS_CANCELLED);
  CHECK(streams_cancel(&peer->call) == STREAMS_CANCELLED);
  say(peer, "first\n");
  readline(peer);
  CHECK(streams_wait(&peer->call) == STREAMS_DONE);
  CHECK(streams_cancel(&peer->call) == STREAMS_DONE && got(peer, "first\n"));
  readline(peer), readline(other);
  CHECK(streams_cancel_all(&loop) == 0 && streams_select(&loop) == NULL);
  /* The other way: the component's own cancel, which is an error of the call. */
  readline(peer);
  API(method_reader_cancel)(API(borrow_reader)(peer->reader));
  CHECK(streams_wait(&peer->call) == STREAMS_DONE && peer->line.is_err);
  CHECK(!strcmp(streams_error_name(&peer->line.val.err), "cancelled"));
  API(result_list_u8_error_free)(&peer->line);
  say(peer, "second\n"), readline(peer);
  CHECK(streams_wait(&peer->call) == STREAMS_DONE && got(peer, "second\n"));
  close_peer(peer), close_peer(other);
}

static void mistakes(void) {
  peer_t *peer = open_peer();
  streams_call_t unused = {0};
  CHECK(streams_wait(&unused) == STREAMS_NOT_STARTED && streams_cancel(&unused) == STREAMS_NOT_STARTED);
  CHECK(streams_wait_for(&unused, 1) == STREAMS_NOT_STARTED);
  streams_loop_t closed = {0};
  CHECK(streams_linger(&closed, &unused) == STREAMS_CLOSED_LOOP && streams_loop_close(&closed) == STREAMS_CLOSED_LOOP);
  CHECK(readline(peer) == STREAMS_PENDING);
  CHECK(readline(peer) == STREAMS_IN_USE);
  CHECK(streams_drop_reader(peer->reader) == STREAMS_CALLS_PENDING);
  CHECK(streams_loop_close(&loop) == STREAMS_CALLS_PENDING);
  CHECK(strstr(streams_status_text(STREAMS_CALLS_PENDING), "wait for them or cancel them"));
  CHECK(streams_cancel(&peer->call) == STREAMS_CANCELLED);
  close_peer(peer);
}

static void texts(void) {
  char text[256];
  API(open_connection_args_t) args = {.port = 1};
  streams_call_t call = {0};
  streams_connection_result_t result;
  bindings_string_set(&args.host, "127.0.0.1");
  streams_open_connection(&loop, &call, &args, &result), streams_wait(&call);
  CHECK(result.is_err);
  size_t len = streams_error_text(&result.val.err, text, sizeof text);
  /* The address is there once. */
  CHECK(len == strlen(text) && !strncmp(text, "connect to 127.0.0.1:1: ", 24) && !strstr(text + 24, "127.0.0.1"));
  CHECK(streams_error_text(&result.val.err, text, 8) == len && !strcmp(text, "connect"));
  CHECK(streams_error_text(&result.val.err, NULL, 0) == len);
  API(result_tuple2_own_reader_own_writer_error_free)(&result);
  args.port = 0;
  streams_open_connection(&loop, &call, &args, &result), streams_wait(&call);
  streams_error_text(&result.val.err, text, sizeof text);
  CHECK(result.is_err && !strncmp(text, "invalid-argument: ", 18) && strstr(text, "port"));
  API(result_tuple2_own_reader_own_writer_error_free)(&result);
  streams_error_t hostile = {.tag = ASYNCIO_STREAMS_TYPES_ERROR_NOT_SUPPORTED};
  bindings_string_set(&hostile.val.not_supported, "a\nb\x1b[2J\xc2\x9b");
  streams_error_text(&hostile, text, sizeof text);
  CHECK(!strcmp(text, "not-supported: a\\x0ab\\x1b[2J\xc2\\x9b"));
  hostile.tag = 200;
  CHECK(!strcmp(streams_error_name(&hostile), "unknown"));
  asyncio_streams_types_address_t v6 = {.tag = ASYNCIO_STREAMS_TYPES_ADDRESS_INET, .val.inet = {.port = 80, .scope_id = 2}};
  bindings_string_set(&v6.val.inet.host, "fe80::1");
  CHECK(streams_address_text(&v6, text, sizeof text) == 14 && !strcmp(text, "[fe80::1%2]:80"));
  uint16_t read = 7;
  const char *const wrong[] = {"", "-1", "+80", " 80", "80 ", "8o", "65536", "18446744073709551617"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK(!streams_port(wrong[i], &read) && read == 7);
  CHECK(streams_port("0", &read) && read == 0 && streams_port("00080", &read) && read == 80);
  CHECK(streams_port("65535", &read) && read == 65535);
}

int streams_main(int argc, char **argv) {
  CHECK(argc == 3 && streams_port(argv[2], &port));
  host = argv[1];
  streams_loop_open(&loop);
  blocks_of_lines(), two_at_once(), many_at_once(), deadlines(), cancelling(), mistakes(), texts();
  CHECK(streams_loop_close(&loop) == STREAMS_DONE);
  puts("all well");
  return 0;
}
