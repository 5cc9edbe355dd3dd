// Echo client in C++: connects, sends a line, and prints the answer. The arguments are the host, the port and the message.
#include <cstdio>

#include "asyncio_streams.hpp"

using namespace std::chrono_literals;

static int fail(const streams::error &why) {
  std::fprintf(stderr, "echo: %s\n", why.text().c_str());
  return 1;
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  uint16_t port;
  if (arguments.size() < 3 || !streams_port(arguments[2].c_str(), &port))
    co_return std::fputs("usage: echo HOST PORT [MESSAGE]\n", stderr), 1;
  std::string message = arguments.size() > 3 ? arguments[3] : "Hello World!";
  auto connection = co_await streams::open_connection(arguments[1], port, 10s);
  if (!connection) co_return fail(connection.why());

  std::printf("Send: '%s'\n", message.c_str());
  auto sent = co_await connection->send(message + "\n", 10s);
  if (!sent) co_return fail(sent.why());
  auto line = co_await connection->readline(10s);
  if (!line) co_return fail(line.why());
  // A peer may send anything: control characters are escaped.
  char text[512];
  streams_escaped((const uint8_t *)line->data(), line->size() - line->ends_with('\n'), text, sizeof text);
  std::printf("Received: '%s'\n", text);

  std::puts("Close the connection");
  auto closed = co_await connection->close(10s);
  co_return closed ? 0 : fail(closed.why());
}

STREAMS_MAIN
