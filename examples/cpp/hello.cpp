// The shortest client of an echo server of lines: hello HOST PORT
#include "asyncio_streams.hpp"

streams::task<int> streams_main(std::vector<std::string> arguments) {
  uint16_t port;
  if (arguments.size() < 3 || !streams_port(arguments[2].c_str(), &port)) co_return 1;
  auto connection = co_await streams::open_connection(arguments[1], port);
  if (!connection || !co_await connection->send("Hello World!\n")) co_return 1;
  auto line = co_await connection->readline();
  co_return line ? std::printf("%s", line->c_str()), 0 : 1;
}

STREAMS_MAIN
