// Two clients at once in C++: each connects, sends a line, and prints the answer.
#include <cstdio>

#include "asyncio_streams.hpp"

using namespace std::chrono_literals;

static streams::task<bool> talk(std::string host, uint16_t port, std::string name) {
  auto connection = co_await streams::open_connection(host, port);
  if (!connection) {
    std::fprintf(stderr, "connect: %s\n", connection.why().text().c_str());
    co_return false;
  }
  auto sent = co_await connection->send(name + "\n");
  auto line = co_await connection->readline(10s);
  if (!sent || !line) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), (sent ? line.why() : sent.why()).text().c_str());
    co_return false;
  }
  std::printf("Received: %s", line->c_str());
  auto closed = co_await connection->close();
  co_return bool(closed);
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  if (arguments.size() < 3) co_return 1;
  auto port = (uint16_t)std::atoi(arguments[2].c_str());
  auto one = talk(arguments[1], port, "one"), two = talk(arguments[1], port, "two");
  bool first = co_await one, second = co_await two;
  co_return first && second ? 0 : 1;
}

STREAMS_MAIN
