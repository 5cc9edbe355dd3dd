// Checks tasks, deadlines, servers, and that destroying a task cancels its pending call.
#include <cstdio>

#include "asyncio_streams.hpp"

using namespace std::chrono_literals;

#define CHECK(x) ((x) ? (void)0 : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1)))

static streams::task<int> reads(streams::connection &connection, std::string *into) {
  for (int n = 0;; n++) {
    auto line = co_await connection.readline();
    if (!line) co_return n;
    *into += *line;
  }
}

static streams::task<int> answers(streams::server &server) {
  auto accepted = co_await server.accept(10s);
  CHECK(accepted);
  auto line = co_await accepted->readline(10s);
  CHECK(line && co_await accepted->send("answer to " + *line + "more\nno end"));
  co_return (co_await accepted->close(10s)) ? 0 : 1;
}

// A server and its client in one program.
static streams::task<int> serves() {
  auto started = co_await streams::start_server("127.0.0.1", 0, 10s);
  CHECK(started);
  streams::server server = std::move(*started);
  auto addresses = server.addresses();
  CHECK(addresses.size() == 1 && addresses[0].starts_with("127.0.0.1:") && started->addresses().empty());
  auto none = co_await started->accept();
  CHECK(!none && none.why().text() == "there is no server");
  auto late = co_await server.accept(20ms);
  CHECK(!late && late.why().kind() == streams::error::TIMED_OUT);
  auto port = (uint16_t)std::atoi(addresses[0].c_str() + addresses[0].rfind(':') + 1);
  auto taken = co_await streams::start_server("127.0.0.1", port, 10s);
  CHECK(!taken && taken.why().name() == "network");

  auto answering = answers(server);
  auto client = co_await streams::open_connection("127.0.0.1", port, 10s);
  CHECK(client && co_await client->send("a question\n"));
  // Lines of one block and of several are the same; the last one has no end.
  streams::lines lines(*client);
  for (auto expected : {"answer to a question\n", "more\n", "no end", "", ""}) {
    auto line = co_await lines.next(10s);
    CHECK(line && *line == expected);
  }
  CHECK(co_await client->close(10s));
  co_return co_await answering;
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  CHECK(arguments.size() == 3);
  auto port = (uint16_t)std::atoi(arguments[2].c_str());
  auto opened = co_await streams::open_connection(arguments[1], port, 10s);
  CHECK(opened);
  streams::connection connection = std::move(*opened);

  auto late = co_await connection.readline(20ms);
  CHECK(!late && late.why().kind() == streams::error::TIMED_OUT && late.why().text() == "the time has passed");
  CHECK(co_await connection.send("kept\n"));
  auto kept = co_await connection.readline(10s);
  CHECK(kept && *kept == "kept\n");

  std::string all;
  {
    auto reading = reads(connection, &all);
    CHECK(connection.write("one\ntwo\n"));
    CHECK(!connection.write(std::string(100 << 20, 'x')));
    while (all != "one\ntwo\n") co_await streams::sleep(1ms);
    auto busy = co_await connection.readline();
    CHECK(!busy && busy.why().name() == "busy");
    CHECK(!reading.done());
  }
  // The task was destroyed with its read: another read is not busy.
  CHECK(connection.write("three\n"));
  auto three = co_await connection.readexactly(6, 10s);
  CHECK(three && *three == "three\n");
  CHECK(co_await connection.close());
  auto closed = co_await connection.read(1);
  CHECK(!closed && closed.why().name() == "closed");

  streams::connection moved = std::move(connection);
  auto none = co_await connection.readline();
  CHECK(!none && none.why().text() == "there is no connection");
  auto refused = co_await streams::open_connection("127.0.0.1", 1);
  CHECK(!refused && refused.why().text().starts_with("connect to 127.0.0.1:1: "));
  CHECK(co_await serves() == 0);
  std::puts("all well");
  co_return 0;
}

STREAMS_MAIN
