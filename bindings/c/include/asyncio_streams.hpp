// asyncio:streams in C++20: coroutines over `asyncio_streams.h`, for commands.
//
//   streams::task<int> streams_main(std::vector<std::string> arguments) {
//     auto connection = co_await streams::open_connection("127.0.0.1", 8888);
//     if (!connection) co_return 1;
//     ...
//   }
//
// A task starts when it is called, and runs until its first wait: two tasks that were called run concurrently, and
// `co_await` waits for one. Destroying a task before its end cancels it, together with its pending call. Nothing is
// thrown: a function that can fail returns a `result`. Texts and spans that are passed to a function must live until it
// was awaited.
#ifndef ASYNCIO_STREAMS_HPP
#define ASYNCIO_STREAMS_HPP

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "asyncio_streams.h"

namespace streams {

// The reason why a call failed.
class error {
 public:
  explicit error(const streams_error_t &e) : kind_(e.tag), name_(streams_error_name(&e)), text_(streams_error_text(&e, nullptr, 0), '\0') {
    streams_error_text(&e, text_.data(), text_.size() + 1);
  }
  // One of `ASYNCIO_STREAMS_TYPES_ERROR_...`; TIMED_OUT when a deadline of the program passed.
  int kind() const { return kind_; }
  const std::string &name() const { return name_; }
  // One line for people.
  const std::string &text() const { return text_; }

  static constexpr int TIMED_OUT = -1;
  static error timed_out() { return error(TIMED_OUT, "timed-out", "the time has passed"); }
  // For a connection or a server that was moved from.
  static error no_connection() { return error(ASYNCIO_STREAMS_TYPES_ERROR_CLOSED, "closed", "there is no connection"); }
  static error no_server() { return error(ASYNCIO_STREAMS_TYPES_ERROR_CLOSED, "closed", "there is no server"); }

 private:
  error(int kind, std::string name, std::string text) : kind_(kind), name_(std::move(name)), text_(std::move(text)) {}
  int kind_;
  std::string name_, text_;
};

// The value of a call, or its error. Using the value of a failed call ends the program.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  result(streams::error why) : content_(std::in_place_index<1>, std::move(why)) {}
  explicit operator bool() const { return content_.index() == 0; }
  T &operator*() { return checked(), *std::get_if<0>(&content_); }
  T *operator->() { return &**this; }
  const streams::error &why() const { return *std::get_if<1>(&content_); }

 private:
  void checked() const {
    if (content_.index() != 0) std::fprintf(stderr, "%s\n", why().text().c_str()), std::abort();
  }
  std::variant<T, streams::error> content_;
};
struct nothing {};

// The loop of the program.
inline streams_loop_t &loop() {
  static streams_loop_t loop{};
  if (!loop.set) streams_loop_open(&loop);
  return loop;
}

namespace detail {
inline void free(streams_result_t &r) { asyncio_streams_streams_result_void_error_free(&r); }
inline void free(streams_bytes_result_t &r) { asyncio_streams_streams_result_list_u8_error_free(&r); }
inline void free(streams_connection_result_t &r) { asyncio_streams_streams_result_tuple2_own_reader_own_writer_error_free(&r); }
inline void free(streams_server_result_t &r) { asyncio_streams_streams_result_own_server_error_free(&r); }
inline void free(nothing &) {}
}  // namespace detail

// A call and its result, in the frame of the coroutine that waits for it. Destroying it cancels the call.
template <class R>
class call {
 public:
  R result{};
  call() = default;
  call(const call &) = delete;
  call &operator=(const call &) = delete;
  ~call() {
    streams_cancel(&clock_);
    // A result arrived during the cancelling, or just before, and was not taken.
    if (streams_cancel(&call_) == STREAMS_DONE && !taken_) detail::free(result);
  }
  streams_call_t *start() { return &call_; }
  // Sets the longest time to wait.
  void deadline(std::optional<std::chrono::nanoseconds> time) {
    if (time && call_.state == STREAMS_PENDING) streams_sleep(&loop(), &clock_, (uint64_t)std::max<int64_t>(time->count(), 0));
  }
  bool await_ready() const { return call_.state != STREAMS_PENDING; }
  void await_suspend(std::coroutine_handle<> waiter) { call_.data = clock_.data = waiter.address(); }
  // Returns true when there is a result, which then belongs to the caller.
  bool await_resume() {
    streams_cancel(&clock_);
    return taken_ = streams_cancel(&call_) == STREAMS_DONE;
  }

 private:
  streams_call_t call_{}, clock_{};
  bool taken_ = false;
};

template <class T>
class [[nodiscard]] task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> next = std::noop_coroutine();
    task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    struct last {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> me) noexcept { return me.promise().next; }
      void await_resume() noexcept {}
    };
    last final_suspend() noexcept { return {}; }
    void return_value(T v) { value.emplace(std::move(v)); }
    void unhandled_exception() { std::abort(); }
  };
  task(task &&other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task &operator=(task &&other) noexcept {
    if (this != &other) cancel(), handle_ = std::exchange(other.handle_, {});
    return *this;
  }
  ~task() { cancel(); }
  // Ends it at its current wait.
  void cancel() {
    if (handle_) std::exchange(handle_, {}).destroy();
  }
  bool done() const { return handle_ && handle_.done(); }
  bool await_ready() const { return handle_.done(); }
  void await_suspend(std::coroutine_handle<> waiter) { handle_.promise().next = waiter; }
  T await_resume() { return std::move(*handle_.promise().value); }
  // Runs the loop until the task is done; for code outside coroutines. Returns nothing if its wait can never end.
  std::optional<T> run() {
    while (!handle_.done()) {
      streams_call_t *done = streams_select(&loop());
      if (!done) return std::nullopt;
      std::coroutine_handle<>::from_address(done->data).resume();
    }
    return std::move(*handle_.promise().value);
  }

 private:
  explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

using timeout = std::optional<std::chrono::nanoseconds>;

namespace detail {
inline result<nothing> take(streams_result_t &r) {
  if (!r.is_err) return nothing{};
  error why(r.val.err);
  asyncio_streams_streams_error_free(&r.val.err);
  return why;
}
inline result<std::string> take(streams_bytes_result_t &r) {
  if (r.is_err) {
    error why(r.val.err);
    asyncio_streams_streams_error_free(&r.val.err);
    return why;
  }
  std::string bytes((const char *)r.val.ok.ptr, r.val.ok.len);
  asyncio_streams_streams_result_list_u8_error_free(&r);
  return bytes;
}
}  // namespace detail

// A connection. Destroying it closes it. All calls on it must have ended, so destroy the tasks that use it first.
class connection {
 public:
  connection(streams_reader_t reader, streams_writer_t writer) : reader_(reader), writer_(writer) {}
  connection(connection &&other) noexcept : reader_(std::exchange(other.reader_, {})), writer_(std::exchange(other.writer_, {})) {}
  connection &operator=(connection &&other) noexcept {
    if (this != &other) drop(), reader_ = std::exchange(other.reader_, {}), writer_ = std::exchange(other.writer_, {});
    return *this;
  }
  ~connection() { drop(); }

  // For functions of the interface that have no method here.
  streams_reader_t reader() const { return reader_; }
  streams_writer_t writer() const { return writer_; }

  task<result<std::string>> read(uint32_t n, timeout time = {}) {
    return reading([n](auto *c, auto r, auto *out) { return streams_read(&loop(), c, r, n, out); }, time);
  }
  task<result<std::string>> readline(timeout time = {}) {
    return reading([](auto *c, auto r, auto *out) { return streams_readline(&loop(), c, r, out); }, time);
  }
  task<result<std::string>> readexactly(uint32_t n, timeout time = {}) {
    return reading([n](auto *c, auto r, auto *out) { return streams_readexactly(&loop(), c, r, n, out); }, time);
  }
  // All complete lines that are buffered, up to `max_bytes`; `lines` separates them.
  task<result<std::string>> readlines(uint32_t max_bytes, timeout time = {}) {
    return reading([max_bytes](auto *c, auto r, auto *out) { return streams_readlines(&loop(), c, r, max_bytes, out); }, time);
  }
  result<nothing> write(std::string_view bytes) {
    if (!writer_.__handle) return error::no_connection();
    streams_bytes_t data{(uint8_t *)bytes.data(), bytes.size()};
    streams_result_t r{};
    r.is_err = !asyncio_streams_streams_method_writer_write(asyncio_streams_streams_borrow_writer(writer_), &data, &r.val.err);
    return detail::take(r);
  }
  task<result<nothing>> drain(timeout time = {}) {
    return writing([](auto *c, auto w, auto *out) { return streams_drain(&loop(), c, w, out); }, time);
  }
  task<result<nothing>> send(std::string_view bytes, timeout time = {}) {
    return writing([bytes](auto *c, auto w, auto *out) {
      return streams_send(&loop(), c, w, streams_bytes_t{(uint8_t *)bytes.data(), bytes.size()}, out); }, time);
  }
  // Closes it, and waits until all output was sent.
  task<result<nothing>> close(timeout time = {}) {
    if (writer_.__handle) asyncio_streams_streams_method_writer_close(asyncio_streams_streams_borrow_writer(writer_));
    return writing([](auto *c, auto w, auto *out) { return streams_wait_closed(&loop(), c, w, out); }, time);
  }

 private:
  // The bytes that a call sends, and the place of its result, must stay valid until the call is done: both are in the
  // coroutine's frame.
  template <class Start>
  task<result<std::string>> reading(Start start, timeout time) {
    if (!reader_.__handle) co_return error::no_connection();
    call<streams_bytes_result_t> c;
    start(c.start(), reader_, &c.result), c.deadline(time);
    if (!co_await c) co_return error::timed_out();
    co_return detail::take(c.result);
  }
  template <class Start>
  task<result<nothing>> writing(Start start, timeout time) {
    if (!writer_.__handle) co_return error::no_connection();
    call<streams_result_t> c;
    start(c.start(), writer_, &c.result), c.deadline(time);
    if (!co_await c) co_return error::timed_out();
    co_return detail::take(c.result);
  }
  void drop() {
    bool dropped = !reader_.__handle || streams_drop_reader(reader_) == STREAMS_DONE;
    if (!dropped || (writer_.__handle && streams_drop_writer(writer_) != STREAMS_DONE))
      std::fprintf(stderr, "a connection was destroyed before a task that uses it\n"), std::abort();
  }
  streams_reader_t reader_;
  streams_writer_t writer_;
};

// Reads lines one by one, many by each call of the interface: much faster than `readline` for a stream of lines. Other reads of
// the connection continue after the lines that were taken. The connection must stay in place.
class lines {
 public:
  explicit lines(connection &connection) : connection_(connection) {}
  lines(const lines &) = delete;
  lines &operator=(const lines &) = delete;

  // The next line with its `\n`, which the last one may lack; valid until the next call. Empty at the end of the stream.
  task<result<std::string_view>> next(timeout time = {}) {
    if (rest_.empty()) {
      auto block = co_await connection_.readlines(64 << 10, time);
      if (!block) co_return block.why();
      block_ = std::move(*block), rest_ = block_;
    }
    std::string_view line = rest_.substr(0, rest_.find('\n') + 1);
    if (line.empty()) line = rest_;
    rest_.remove_prefix(line.size());
    co_return line;
  }

 private:
  connection &connection_;
  std::string block_;
  std::string_view rest_;
};

namespace detail {
inline result<connection> take(streams_connection_result_t &r) {
  if (!r.is_err) return connection(r.val.ok.f0, r.val.ok.f1);
  error why(r.val.err);
  asyncio_streams_streams_error_free(&r.val.err);
  return why;
}
}  // namespace detail

inline task<result<connection>> open_connection(std::string host, uint16_t port, timeout time = {}) {
  asyncio_streams_streams_open_connection_args_t args{};
  args.host = {(uint8_t *)host.data(), host.size()}, args.port = port;
  call<streams_connection_result_t> c;
  streams_open_connection(&loop(), c.start(), &args, &c.result), c.deadline(time);
  if (!co_await c) co_return error::timed_out();
  co_return detail::take(c.result);
}

// A server. Destroying it stops listening; accepted connections continue. Destroy the tasks that accept first.
class server {
 public:
  explicit server(streams_server_t handle) : handle_(handle) {}
  server(server &&other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  server &operator=(server &&other) noexcept {
    if (this != &other) drop(), handle_ = std::exchange(other.handle_, {});
    return *this;
  }
  ~server() { drop(); }

  // For functions of the interface that have no method here.
  streams_server_t handle() const { return handle_; }

  // The addresses on which it listens, such as `127.0.0.1:8888`; none after it was moved from.
  std::vector<std::string> addresses() const {
    std::vector<std::string> texts;
    if (!handle_.__handle) return texts;
    asyncio_streams_streams_list_address_t list;
    asyncio_streams_streams_method_server_sockets(asyncio_streams_streams_borrow_server(handle_), &list);
    for (size_t i = 0; i < list.len; i++) {
      std::string text(streams_address_text(&list.ptr[i], nullptr, 0), '\0');
      streams_address_text(&list.ptr[i], text.data(), text.size() + 1);
      texts.push_back(std::move(text));
    }
    asyncio_streams_streams_list_address_free(&list);
    return texts;
  }

  // Waits for the next client.
  task<result<connection>> accept(timeout time = {}) {
    if (!handle_.__handle) co_return error::no_server();
    call<streams_connection_result_t> c;
    streams_accept(&loop(), c.start(), handle_, &c.result), c.deadline(time);
    if (!co_await c) co_return error::timed_out();
    co_return detail::take(c.result);
  }

 private:
  void drop() {
    if (handle_.__handle && streams_drop_server(handle_) != STREAMS_DONE)
      std::fprintf(stderr, "a server was destroyed before a task that accepts\n"), std::abort();
  }
  streams_server_t handle_;
};

// Listens; an empty host means all interfaces, port 0 a free one.
inline task<result<server>> start_server(std::string host, uint16_t port, timeout time = {}) {
  bindings_string_t text{(uint8_t *)host.data(), host.size()};
  asyncio_streams_streams_start_server_args_t args{};
  if (!host.empty()) args.hosts = {&text, 1};
  args.port = port;
  call<streams_server_result_t> c;
  streams_start_server(&loop(), c.start(), &args, &c.result), c.deadline(time);
  if (!co_await c) co_return error::timed_out();
  if (!c.result.is_err) co_return server(c.result.val.ok);
  error why(c.result.val.err);
  asyncio_streams_streams_error_free(&c.result.val.err);
  co_return why;
}

inline task<nothing> sleep(std::chrono::nanoseconds time) {
  call<nothing> c;
  streams_sleep(&loop(), c.start(), (uint64_t)std::max<int64_t>(time.count(), 0));
  co_await c;
  co_return nothing{};
}

}  // namespace streams

// The program's main, which the program defines; the first argument is the name of the command.
streams::task<int> streams_main(std::vector<std::string> arguments);

// The header stands in one file of a program: this is the `streams_main` of C.
inline int streams_run(int argc, char **argv) {
  auto task = streams_main(std::vector<std::string>(argv, argv + argc));
  auto result = task.run();
  if (!result) std::fprintf(stderr, "the program waits, but no call is pending\n");
  return result.value_or(1);
}
#define STREAMS_MAIN \
  extern "C" int streams_main(int argc, char **argv) { return streams_run(argc, argv); }
#endif
