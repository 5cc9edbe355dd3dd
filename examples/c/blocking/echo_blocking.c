/* Echo client with blocking calls, the shortest form: one connection, one call after the other, no deadlines. */
#include <stdio.h>
#include <string.h>

#include "asyncio_streams.h"

static int talk(asyncio_streams_streams_borrow_reader_t reader, asyncio_streams_streams_borrow_writer_t writer, const char *message) {
  streams_error_t error;
  printf("Send: '%s'\n", message);
  bindings_list_u8_t parts[] = {{(uint8_t *)message, strlen(message)}, {(uint8_t *)"\n", 1}}, answer;
  bindings_list_list_u8_t both = {parts, 2};
  if (!asyncio_streams_streams_method_writer_writelines(writer, &both, &error)) return streams_fail("write", &error);
  if (!asyncio_streams_streams_method_reader_readline(reader, &answer, &error)) return streams_fail("read", &error);
  /* The last line of a peer may have no end. */
  size_t len = answer.len;
  if (len && answer.ptr[len - 1] == '\n') len--;
  char text[512];
  streams_escaped(answer.ptr, len, text, sizeof text);
  bindings_list_u8_free(&answer);
  printf("Received: '%s'\n", text);
  puts("Close the connection");
  asyncio_streams_streams_method_writer_close(writer);
  if (!asyncio_streams_streams_method_writer_wait_closed(writer, &error)) return streams_fail("close", &error);
  return 0;
}

int streams_main(int argc, char **argv) {
  uint16_t port;
  if (argc < 3 || !streams_port(argv[2], &port)) return fputs("usage: echo_blocking HOST PORT [MESSAGE]\n", stderr), 1;
  bindings_string_t host;
  bindings_string_set(&host, argv[1]);
  asyncio_streams_streams_tuple2_own_reader_own_writer_t both;
  streams_error_t error;
  if (!asyncio_streams_streams_open_connection(&host, port, NULL, &both, &error)) return streams_fail("echo_blocking", &error);
  int result = talk(asyncio_streams_streams_borrow_reader(both.f0), asyncio_streams_streams_borrow_writer(both.f1), argc > 3 ? argv[3] : "Hello World!");
  asyncio_streams_streams_reader_drop_own(both.f0);
  asyncio_streams_streams_writer_drop_own(both.f1);
  return result;
}
