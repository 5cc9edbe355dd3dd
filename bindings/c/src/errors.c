/* The texts of errors, addresses and ports. */
#include <stdio.h>
#include <string.h>

#include "asyncio_streams.h"

#define OF(names, index) ((index) < sizeof names / sizeof *names ? names[index] : "unknown")

static const char *const errors[] = {
    "invalid-argument", "not-supported", "busy", "write-after-eof", "too-large", "buffer-full", "cancelled",
    "deadline-exceeded", "incomplete-read", "limit-overrun", "closed", "network", "connect", "tls", "other"};

/* A text that is written piece by piece into a buffer of bounded size. */
typedef struct { char *text; size_t size, length; } out_t;

static void put(out_t *out, char c) {
  if (out->length + 1 < out->size) out->text[out->length] = c;
  out->length++;
}

static void text(out_t *out, const char *s) {
  while (*s) put(out, *s++);
}

static void number(out_t *out, uint64_t n) {
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  text(out, digits);
}

/* Foreign text must neither forge lines nor move a terminal's cursor. */
static void foreign(out_t *out, const uint8_t *bytes, size_t len) {
  static const char hex[] = "0123456789abcdef";
  for (size_t i = 0; i < len; i++) {
    uint8_t c = bytes[i];
    /* U+0080 to U+009F are controls too: in UTF-8, 0xc2 and one of these. */
    bool control = c < 0x20 || c == 0x7f || (i && bytes[i - 1] == 0xc2 && c < 0xa0);
    if (!control) put(out, (char)c);
    else text(out, "\\x"), put(out, hex[c >> 4]), put(out, hex[c & 15]);
  }
}

static size_t end(out_t *out) {
  if (out->size) out->text[out->length < out->size ? out->length : out->size - 1] = 0;
  return out->length;
}

static void address(out_t *out, const asyncio_streams_types_address_t *a) {
  if (a->tag != ASYNCIO_STREAMS_TYPES_ADDRESS_INET) {
    foreign(out, a->val.unix.ptr, a->val.unix.len);
    return;
  }
  bool v6 = memchr(a->val.inet.host.ptr, ':', a->val.inet.host.len);
  if (v6) put(out, '[');
  foreign(out, a->val.inet.host.ptr, a->val.inet.host.len);
  if (a->val.inet.scope_id) put(out, '%'), number(out, a->val.inet.scope_id);
  text(out, v6 ? "]:" : ":");
  number(out, a->val.inet.port);
}

/* The message of a failed attempt; it usually names the address itself. */
static void attempt(out_t *out, const asyncio_streams_types_connect_attempt_t *failed) {
  char name[128];
  size_t length = streams_address_text(&failed->address, name, sizeof name), message = failed->error.message.len;
  bool named = false;
  for (size_t i = 0; length < sizeof name && i + length <= message; i++)
    named |= memcmp(failed->error.message.ptr + i, name, length) == 0;
  if (!named) address(out, &failed->address), text(out, ": ");
  foreign(out, failed->error.message.ptr, message);
}

const char *streams_error_name(const streams_error_t *error) { return OF(errors, error->tag); }

size_t streams_address_text(const asyncio_streams_types_address_t *a, char *buffer, size_t size) {
  out_t out = {buffer, size, 0};
  address(&out, a);
  return end(&out);
}

bool streams_port(const char *text, uint16_t *port) {
  const char *end = text;
  uint32_t number = 0;
  for (; *end >= '0' && *end <= '9'; end++) {
    number = number * 10 + (uint32_t)(*end - '0');
    if (number > UINT16_MAX) return false;
  }
  if (end == text || *end) return false;
  *port = (uint16_t)number;
  return true;
}

size_t streams_escaped(const uint8_t *bytes, size_t length, char *buffer, size_t size) {
  out_t out = {buffer, size, 0};
  foreign(&out, bytes, length);
  return end(&out);
}

size_t streams_error_text(const streams_error_t *error, char *buffer, size_t size) {
  out_t out = {buffer, size, 0};
  /* The messages of attempts begin with "connect to". */
  if (error->tag != ASYNCIO_STREAMS_TYPES_ERROR_CONNECT || error->val.connect.len == 0) text(&out, streams_error_name(error));
  switch (error->tag) {
    case ASYNCIO_STREAMS_TYPES_ERROR_INVALID_ARGUMENT:
    case ASYNCIO_STREAMS_TYPES_ERROR_NOT_SUPPORTED:
      text(&out, ": "), foreign(&out, error->val.invalid_argument.ptr, error->val.invalid_argument.len);
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_TOO_LARGE:
      text(&out, ": at least "), number(&out, error->val.too_large), text(&out, " bytes");
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_INCOMPLETE_READ:
      text(&out, ": the stream ended after "), number(&out, error->val.incomplete_read.partial.len);
      text(&out, " bytes");
      if (error->val.incomplete_read.expected.is_some)
        text(&out, " of "), number(&out, error->val.incomplete_read.expected.val);
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_LIMIT_OVERRUN:
      text(&out, ": no separator in the first "), number(&out, error->val.limit_overrun.consumed), text(&out, " bytes");
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_NETWORK:
      text(&out, ": "), foreign(&out, error->val.network.message.ptr, error->val.network.message.len);
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_CONNECT:
      for (size_t i = 0; i < error->val.connect.len; i++) {
        text(&out, i ? "; " : ""), attempt(&out, &error->val.connect.ptr[i]);
      }
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_TLS:
      text(&out, ": "), foreign(&out, error->val.tls.message.ptr, error->val.tls.message.len);
      break;
    case ASYNCIO_STREAMS_TYPES_ERROR_OTHER:
      text(&out, "("), foreign(&out, error->val.other.code.ptr, error->val.other.code.len), text(&out, "): ");
      foreign(&out, error->val.other.message.ptr, error->val.other.message.len);
      break;
    default: break;
  }
  return end(&out);
}

int streams_fail(const char *what, streams_error_t *error) {
  char text[512];
  streams_error_text(error, text, sizeof text);
  fprintf(stderr, "%s: %s\n", what, text);
  asyncio_streams_types_error_free(error);
  return 1;
}
