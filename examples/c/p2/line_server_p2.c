/* Answers each line with its length, for hosts of WASI 0.2. A `watch` waits for the server and all clients at once. */
#include <stdio.h>
#include <string.h>

#include "asyncio_streams.h"

enum { MOST = 1000, SERVER = 0, LINES = 100 };

/* The key of a client in the watch is its index; 0 is the server's. A free place has the reader's handle 0. */
static asyncio_streams_blocking_tuple2_own_reader_own_writer_t clients[MOST + 1];
static asyncio_streams_blocking_own_server_t server;
static asyncio_streams_blocking_own_watch_t watch;

static bool add(asyncio_streams_blocking_event_t event, uint32_t key, streams_error_t *error) {
  return asyncio_streams_blocking_method_watch_add(asyncio_streams_blocking_borrow_watch(watch), &event, key, error);
}

/* The drops send what is left. All others wait meanwhile, until the close deadline at most. */
static void leave(uint32_t key) {
  asyncio_streams_blocking_reader_drop_own(clients[key].f0);
  asyncio_streams_blocking_writer_drop_own(clients[key].f1);
  clients[key].f0.__handle = 0;
}

/* Accepts every client that waits. The server accepts at most MOST at a time, so there is a place for each. */
static bool accept_all(streams_error_t *error) {
  asyncio_streams_blocking_option_tuple2_own_reader_own_writer_t client;
  for (uint32_t key = 1;; key++) {
    while (key <= MOST && clients[key].f0.__handle) key++;
    if (key > MOST) return true;
    if (!asyncio_streams_blocking_method_server_try_accept(asyncio_streams_blocking_borrow_server(server), &client, error)) return false;
    if (!client.is_some) return true;
    clients[key] = client.val;
    asyncio_streams_blocking_event_t event = {.tag = ASYNCIO_STREAMS_BLOCKING_EVENT_READABLE};
    event.val.readable.f0 = asyncio_streams_blocking_borrow_reader(client.val.f0);
    event.val.readable.f1.tag = ASYNCIO_STREAMS_BLOCKING_WANTED_LINE;
    if (!add(event, key, error)) return false;
  }
}

/* Answers some of the lines that are there; returns whether the client stays. The watch reports the rest again, so that a client that
   sends without end does not hold up the others. */
static bool answer(uint32_t key) {
  bindings_option_list_u8_t line;
  streams_error_t error;
  for (int lines = 0; lines < LINES; lines++) {
    /* An error: the client is gone, or its line is too long. */
    if (!asyncio_streams_blocking_method_reader_try_readline(asyncio_streams_blocking_borrow_reader(clients[key].f0), &line, &error)) goto gone;
    if (!line.is_some) return true;
    size_t length = line.val.len;
    if (!length) {
      bindings_list_u8_free(&line.val);
      return false;
    }
    char text[32];
    if (line.val.ptr[length - 1] == '\n') length--;
    bindings_list_u8_t bytes = {(uint8_t *)text, (size_t)snprintf(text, sizeof text, "%zu\n", length)};
    bindings_list_u8_free(&line.val);
    if (!asyncio_streams_blocking_method_writer_write(asyncio_streams_blocking_borrow_writer(clients[key].f1), &bytes, &error)) goto gone;
  }
  return true;
gone:
  asyncio_streams_blocking_error_free(&error);
  return false;
}

static int serve(void) {
  streams_error_t error;
  watch = asyncio_streams_blocking_constructor_watch();
  asyncio_streams_blocking_event_t event = {.tag = ASYNCIO_STREAMS_BLOCKING_EVENT_CONNECTION};
  event.val.connection = asyncio_streams_blocking_borrow_server(server);
  if (!add(event, SERVER, &error)) return streams_fail("line_server_p2: watch", &error);
  for (;;) {
    bindings_list_u32_t ready;
    if (!asyncio_streams_blocking_method_watch_wait(asyncio_streams_blocking_borrow_watch(watch), NULL, &ready, &error)) return streams_fail("line_server_p2: wait", &error);
    bool accepted = true;
    for (size_t i = 0; i < ready.len && accepted; i++) {
      uint32_t key = ready.ptr[i];
      if (key == SERVER) accepted = accept_all(&error);
      else if (!answer(key)) leave(key);
    }
    bindings_list_u32_free(&ready);
    if (!accepted) return streams_fail("line_server_p2: accept", &error);
  }
}

int streams_main(int argc, char **argv) {
  uint16_t port;
  if (argc < 3 || !streams_port(argv[2], &port)) return fputs("usage: line_server_p2 HOST PORT\n", stderr), 1;
  bindings_string_t host;
  bindings_string_set(&host, argv[1]);
  bindings_list_string_t hosts = {&host, 1};
  asyncio_streams_blocking_own_server_options_t options = asyncio_streams_blocking_constructor_server_options();
  asyncio_streams_blocking_borrow_server_options_t lent = asyncio_streams_blocking_borrow_server_options(options);
  streams_error_t error;
  /* The server disconnects a client after a minute of silence. */
  uint64_t minute = 60000000000;
  asyncio_streams_blocking_method_server_options_set_idle_timeout(lent, &minute);
  /* A client that takes nothing is given up after a second, and when a mebibyte of answers waits for it. */
  uint64_t second = 1000000000;
  asyncio_streams_blocking_method_server_options_set_close_deadline(lent, &second);
  if (!asyncio_streams_blocking_method_server_options_set_max_queued(lent, 1 << 20, &error)) return streams_fail("line_server_p2: max-queued", &error);
  if (!asyncio_streams_blocking_method_server_options_set_max_connections(lent, MOST, &error)) return streams_fail("line_server_p2: max-connections", &error);
  bool listens = asyncio_streams_blocking_start_server(&hosts, port, &lent, NULL, &server, &error);
  asyncio_streams_blocking_server_options_drop_own(options);
  if (!listens) return streams_fail("line_server_p2", &error);
  asyncio_streams_blocking_list_address_t sockets;
  asyncio_streams_blocking_method_server_sockets(asyncio_streams_blocking_borrow_server(server), &sockets);
  for (size_t i = 0; i < sockets.len; i++) {
    char text[128];
    streams_address_text(&sockets.ptr[i], text, sizeof text);
    printf("listening on %s\n", text);
  }
  fflush(stdout);
  asyncio_streams_blocking_list_address_free(&sockets);
  return serve();
}
