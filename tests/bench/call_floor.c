/* The call in C that a call from Python comes to: from_python_core.py compiles it, and gives it the function's address. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef int (*apply_in_place)(const void* layer, const void* logits, const void* inputs, size_t count, const void* options);

/* Nanoseconds of so many calls; -1 when one is refused. */
int64_t time_calls(apply_in_place call, const void* layer, const void* logits, const void* inputs, const void* options,
                   int64_t calls) {
  struct timespec begin, end;
  int64_t at;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (at = 0; at < calls; ++at) {
    if (call(layer, logits, inputs, 1, options) != 0) return -1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (int64_t)(end.tv_sec - begin.tv_sec) * 1000000000 + (end.tv_nsec - begin.tv_nsec);
}
