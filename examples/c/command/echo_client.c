/* Echo client: connects, sends a line, and prints the answer.
 *
 * The arguments are the host, the port, and optionally the message. */
#include <stdio.h>
#include <string.h>

#include "asyncio_streams.h"

static streams_loop_t loop;
static streams_call_t call;

/* Sends the message as a line, and waits for a line. */
static int talk(streams_reader_t reader, streams_writer_t writer, const char *message) {
  printf("Send: '%s'\n", message);
  bindings_list_u8_t parts[] = {{(uint8_t *)message, strlen(message)}, {(uint8_t *)"\n", 1}};
  bindings_list_list_u8_t both = {parts, 2};
  streams_error_t error;
  if (!asyncio_streams_streams_method_writer_writelines(asyncio_streams_streams_borrow_writer(writer), &both, &error))
    return streams_fail("write", &error);

  streams_bytes_result_t answer;
  streams_readline(&loop, &call, reader, &answer);
  /* Ten seconds are enough for any echo. */
  if (streams_wait_for(&call, 10000000000) == STREAMS_TIMED_OUT) return fputs("no answer\n", stderr), 1;
  if (answer.is_err) return streams_fail("read", &answer.val.err);
  streams_bytes_t line = answer.val.ok;
  /* The last line of a peer may have no end. */
  if (line.len && line.ptr[line.len - 1] == '\n') line.len--;
  char text[512];
  streams_escaped(line.ptr, line.len, text, sizeof text);
  asyncio_streams_streams_result_list_u8_error_free(&answer);
  printf("Received: '%s'\n", text);

  puts("Close the connection");
  streams_result_t closed;
  asyncio_streams_streams_method_writer_close(asyncio_streams_streams_borrow_writer(writer));
  streams_wait_closed(&loop, &call, writer, &closed);
  streams_wait(&call);
  return closed.is_err ? streams_fail("close", &closed.val.err) : 0;
}

int streams_main(int argc, char **argv) {
  uint16_t port;
  if (argc < 3 || !streams_port(argv[2], &port)) return fputs("usage: echo_client HOST PORT [MESSAGE]\n", stderr), 1;
  streams_loop_open(&loop);
  asyncio_streams_streams_open_connection_args_t args = {.port = port};
  bindings_string_set(&args.host, argv[1]);
  streams_connection_result_t connection;
  streams_open_connection(&loop, &call, &args, &connection);
  streams_wait(&call);
  if (connection.is_err) return streams_fail("echo_client", &connection.val.err);
  streams_reader_t reader = connection.val.ok.f0;
  streams_writer_t writer = connection.val.ok.f1;
  int result = talk(reader, writer, argc > 3 ? argv[3] : "Hello World!");
  streams_drop_reader(reader);
  streams_drop_writer(writer);
  streams_loop_close(&loop);
  return result;
}
