// Two clients at once in C++: each connects, sends a line, and prints the answer.
#include <cstdio>

#include "asyncio_streams.hpp"

using namespace std::chrono_literals;

static bool fail(const std::string &name, const streams::error &why) {
  std::fprintf(stderr, "%s: %s\n", name.c_str(), why.text().c_str());
  return false;
}

static streams::task<bool> talk(std::string host, uint16_t port, std::string name) {
  auto connection = co_await streams::open_connection(host, port);
  if (!connection) co_return fail(name, connection.why());
  auto sent = co_await connection->send(name + "\n");
  auto line = co_await connection->readline(10s);
  if (!sent || !line) co_return fail(name, sent ? line.why() : sent.why());
  std::printf("Received: %s", line->c_str());
  auto closed = co_await connection->close();
  co_return bool(closed);
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  uint16_t port;
  if (arguments.size() < 3 || !streams_port(arguments[2].c_str(), &port))
    co_return std::fputs("usage: two_clients HOST PORT\n", stderr), 1;
  auto one = talk(arguments[1], port, "one"), two = talk(arguments[1], port, "two");
  bool first = co_await one, second = co_await two;
  co_return first && second ? 0 : 1;
}

STREAMS_MAIN
