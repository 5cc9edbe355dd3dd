/* The export of a command: calls `streams_main`, and lets closed connections linger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asyncio_streams.h"

static int run_main(void) {
  bindings_list_string_t arguments;
  wasi_cli_environment_get_arguments(&arguments);
  int argc = 0, result = 1;
  char **argv = calloc(arguments.len + 1, sizeof *argv);
  bool complete = argv != NULL;
  for (; complete && (size_t)argc < arguments.len; argc++) {
    argv[argc] = strndup((const char *)arguments.ptr[argc].ptr, arguments.ptr[argc].len);
    complete = argv[argc] != NULL;
  }
  bindings_list_string_free(&arguments);
  if (complete) result = streams_main(argc, argv);
  else fputs("no memory for the arguments\n", stderr);
  while (argv && argc) free(argv[--argc]);
  free(argv);
  return result;
}

#ifdef STREAMS_BLOCKING
bool exports_wasi_cli_run_run(void) {
  int result = run_main();
#ifdef STREAMS_P2
  asyncio_streams_blocking_linger(NULL);
#else
  asyncio_streams_streams_linger();
#endif
  return (fflush(NULL) == 0) & (result == 0);
}
#else
bindings_callback_code_t exports_wasi_cli_run_run(void) {
  int result = run_main();
  streams_loop_t loop;
  streams_call_t call = {0};
  streams_loop_open(&loop);
  streams_linger(&loop, &call);
  streams_wait(&call);
  streams_loop_close(&loop);
  exports_wasi_cli_run_result_void_void_t said = {.is_err = (fflush(NULL) != 0) | (result != 0)};
  exports_wasi_cli_run_run_return(said);
  return BINDINGS_CALLBACK_CODE_EXIT;
}

/* `run` never waits through its callback. */
bindings_callback_code_t exports_wasi_cli_run_run_callback(bindings_event_t *event) {
  (void)event;
  return BINDINGS_CALLBACK_CODE_EXIT;
}
#endif
