// The peer in C++: lines, and messages there and back, as client and as server, each connection in a coroutine.
#include "asyncio_streams.hpp"
#include "../c/job.h"

#include <list>

static int fail(const char *what, const streams::error &why) {
  return std::fprintf(stderr, "%s: %s\n", what, why.text().c_str()), 1;
}

static int ended() { return std::fputs("the other side ended the connection\n", stderr), 1; }

static streams::task<int> client(job_t job) {
  auto connection = co_await streams::open_connection(job.host, job.port);
  if (!connection) co_return fail("connect", connection.why());
  meter_t meter = meter_start(&job);
  if (!std::strcmp(job.kind, "lines")) {
    streams::lines lines(*connection);
    while (meter_go_on(&meter)) {
      auto line = co_await lines.next();
      if (!line) co_return fail("read", line.why());
      if (line->empty()) co_return ended();
    }
  } else if (!std::strcmp(job.kind, "echo")) {
    std::string message(job.size, 'x');
    while (meter_go_on(&meter)) {
      auto sent = co_await connection->send(message);
      if (!sent) co_return fail("send", sent.why());
      auto answer = co_await connection->readexactly(job.size);
      if (!answer) co_return fail("read", answer.why());
    }
  }
  co_return meter_report(&meter);
}

static streams::task<int> echo(streams::connection connection) {
  for (;;) {
    auto bytes = co_await connection.read(BENCH_CHUNK);
    if (!bytes || bytes->empty()) co_return 0;
    auto sent = co_await connection.send(*bytes);
    if (!sent) co_return 0;
  }
}

static streams::task<int> serve(job_t job) {
  auto server = co_await streams::start_server(job.host, job.port);
  if (!server) co_return fail("listen", server.why());
  std::printf("listening on %s\n", server->addresses().at(0).c_str()), std::fflush(stdout);
  std::list<streams::task<int>> clients;
  for (;;) {
    auto connection = co_await server->accept();
    if (!connection) co_return fail("accept", connection.why());
    clients.remove_if([](auto &client) { return client.done(); });
    clients.push_back(echo(std::move(*connection)));
  }
}

streams::task<int> streams_main(std::vector<std::string> arguments) {
  std::vector<char *> words;
  for (auto &argument : arguments) words.push_back(argument.data());
  job_t job;
  if (!job_read((int)words.size(), words.data(), &job)) co_return 1;
  if (job.server) co_return co_await serve(job);
  co_return co_await client(job);
}

STREAMS_MAIN
