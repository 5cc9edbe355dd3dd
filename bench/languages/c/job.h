/* The command line of a peer, and its meter: `bench/plan` in C. Clock and output are those of WASI. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"

/* The size of a read if no message size is known. */
#define BENCH_CHUNK (64u << 10)

typedef struct {
  bool server;
  const char *kind;
  char host[64];
  uint16_t port;
  uint32_t size;
  /* In nanoseconds. */
  uint64_t warmup, measured;
} job_t;

/* Reads `client KIND ADDRESS SIZE CONNECTIONS WARM-UP MEASURED` or `server KIND ADDRESS`. A client has one connection. */
static inline bool job_read(int argc, char **argv, job_t *job) {
  memset(job, 0, sizeof *job);
  bool client = argc == 8 && !strcmp(argv[1], "client") && !strcmp(argv[5], "1");
  job->server = argc == 4 && !strcmp(argv[1], "server");
  const char *colon = client || job->server ? strrchr(argv[3], ':') : NULL;
  if (!colon || (size_t)(colon - argv[3]) >= sizeof job->host) {
    fputs("this is no order, or one for more than one connection\n", stderr);
    return false;
  }
  job->kind = argv[2];
  memcpy(job->host, argv[3], (size_t)(colon - argv[3]));
  job->port = (uint16_t)atoi(colon + 1);
  if (client) {
    job->size = (uint32_t)atoi(argv[4]);
    job->warmup = strtoull(argv[6], NULL, 10) * 1000000;
    job->measured = strtoull(argv[7], NULL, 10) * 1000000;
  }
  return true;
}

/* Counts after the warm-up, and ends when the time is up. */
typedef struct {
  const job_t *job;
  /* After how many operations it reads the clock. */
  uint64_t stride, calls, count, since, elapsed;
  bool measuring;
} meter_t;

static inline meter_t meter_start(const job_t *job) {
  meter_t meter;
  memset(&meter, 0, sizeof meter);
  meter.job = job;
  meter.stride = strcmp(job->kind, "lines") ? 16 : 1000;
  meter.since = wasi_clocks_monotonic_clock_now();
  return meter;
}

/* Counts one operation, and returns whether to continue. */
static inline bool meter_go_on(meter_t *meter) {
  meter->count++;
  if (++meter->calls % meter->stride) return true;
  uint64_t now = wasi_clocks_monotonic_clock_now(), elapsed = now - meter->since;
  if (!meter->measuring && elapsed >= meter->job->warmup) {
    meter->measuring = true, meter->count = 0, meter->since = now;
  } else if (meter->measuring && elapsed >= meter->job->measured) {
    meter->elapsed = elapsed;
    return false;
  }
  return true;
}

/* Prints the result. Returns the exit status: 1 when the work ended before the time. */
static inline int meter_report(const meter_t *meter) {
  if (!meter->elapsed) return fputs("the work ended before the time\n", stderr), 1;
  printf("%" PRIu64 " in %" PRIu64 " ns\n", meter->count, meter->elapsed);
  return 0;
}

#endif
