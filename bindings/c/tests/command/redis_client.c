/* A client of redis: every kind of reply, and many commands in flight while replies are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asyncio_streams.h"

#define API(name) asyncio_streams_streams_##name
#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), exit(1)))
#define PATIENCE 30000000000

static streams_loop_t loop;
static streams_reader_t reader;
static streams_writer_t writer;

static streams_bytes_result_t result;

/* Returns the next line without its end; valid until the next call. */
static const char *line(void) {
  static char text[128];
  streams_call_t call = {0};
  streams_readline(&loop, &call, reader, &result);
  CHECK(streams_wait_for(&call, PATIENCE) == STREAMS_DONE && !result.is_err);
  size_t len = result.val.ok.len;
  CHECK(len >= 3 && len < sizeof text && result.val.ok.ptr[len - 2] == '\r');
  memcpy(text, result.val.ok.ptr, len - 2);
  text[len - 2] = 0;
  API(result_list_u8_error_free)(&result);
  return text;
}

/* Returns a value, with its `\r\n`; the caller frees it. */
static streams_bytes_t value(void) {
  const char *length = line();
  CHECK(length[0] == '$');
  streams_call_t call = {0};
  streams_readexactly(&loop, &call, reader, (uint32_t)atoi(length + 1) + 2, &result);
  CHECK(streams_wait_for(&call, PATIENCE) == STREAMS_DONE && !result.is_err);
  return result.val.ok;
}

static void command(const char *text) {
  streams_bytes_t bytes = {(uint8_t *)text, strlen(text)};
  streams_error_t error;
  CHECK(API(method_writer_write)(API(borrow_writer)(writer), &bytes, &error));
}

int streams_main(int argc, char **argv) {
  CHECK(argc == 3);
  streams_loop_open(&loop);
  API(open_connection_args_t) args = {.port = (uint16_t)atoi(argv[2])};
  bindings_string_set(&args.host, argv[1]);
  streams_call_t call = {0};
  streams_connection_result_t both;
  streams_open_connection(&loop, &call, &args, &both);
  CHECK(streams_wait_for(&call, PATIENCE) == STREAMS_DONE && !both.is_err);
  reader = both.val.ok.f0, writer = both.val.ok.f1;

  command("PING\r\n"), CHECK(!strcmp(line(), "+PONG"));
  command("NO-SUCH-COMMAND\r\n"), CHECK(line()[0] == '-');
  command("GET nothing\r\n"), CHECK(!strcmp(line(), "$-1"));
  command("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n"), CHECK(!strcmp(line(), "+OK"));
  command("GET k\r\n");
  streams_bytes_t bytes = value();
  CHECK(bytes.len == 6 && !memcmp(bytes.ptr, "a\r\nb\r\n", 6));
  bindings_list_u8_free(&bytes);

  enum { COMMANDS = 20000 };
  command("SET n 0\r\n"), CHECK(!strcmp(line(), "+OK"));
  for (int i = 0; i < COMMANDS; i++) command("INCR n\r\n");
  for (int i = 1; i <= COMMANDS; i++) CHECK(atoi(line() + 1) == i);
  command("QUIT\r\n"), CHECK(!strcmp(line(), "+OK"));
  CHECK(streams_drop_reader(reader) == STREAMS_DONE && streams_drop_writer(writer) == STREAMS_DONE);
  puts("all well");
  return 0;
}
