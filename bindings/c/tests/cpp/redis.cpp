// A client of redis in coroutines: every kind of reply, and many commands in flight while replies are read.
#include <cstdio>

#include "asyncio_streams.hpp"

using namespace std::chrono_literals;

#define CHECK(x) ((x) ? (void)0 : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1)))

// Returns the next line without its `\r\n`.
static streams::task<std::string> line(streams::connection &redis) {
  auto read = co_await redis.readline(30s);
  CHECK(read && read->ends_with("\r\n"));
  co_return read->substr(0, read->size() - 2);
}

static streams::task<std::string> ask(streams::connection &redis, std::string command) {
  CHECK(co_await redis.send(command, 30s));
  co_return co_await line(redis);
}

// Sends commands without waiting for their replies.
static streams::task<bool> increments(streams::connection &redis, int commands) {
  for (int i = 0; i < commands; i++)
    if (!co_await redis.send("INCR n\r\n", 30s)) co_return false;
  co_return true;
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  CHECK(arguments.size() == 3);
  auto opened = co_await streams::open_connection(arguments[1], (uint16_t)std::atoi(arguments[2].c_str()), 30s);
  CHECK(opened);
  streams::connection redis = std::move(*opened);

  CHECK(co_await ask(redis, "PING\r\n") == "+PONG");
  CHECK((co_await ask(redis, "NO-SUCH-COMMAND\r\n")).starts_with("-"));
  CHECK(co_await ask(redis, "GET nothing\r\n") == "$-1");
  CHECK(co_await ask(redis, "*3\r\n$3\r\nSET\r\n$3\r\ncpp\r\n$4\r\na\r\nb\r\n") == "+OK");
  CHECK(co_await ask(redis, "GET cpp\r\n") == "$4");
  auto value = co_await redis.readexactly(6, 30s);
  CHECK(value && *value == "a\r\nb\r\n");

  const int commands = 20000;
  CHECK(co_await ask(redis, "SET n 0\r\n") == "+OK");
  auto sending = increments(redis, commands);
  for (int i = 1; i <= commands; i++) CHECK(co_await line(redis) == ":" + std::to_string(i));
  CHECK(co_await sending);
  CHECK(co_await ask(redis, "QUIT\r\n") == "+OK");
  CHECK(co_await redis.close(30s));
  std::puts("all well");
  co_return 0;
}

STREAMS_MAIN
