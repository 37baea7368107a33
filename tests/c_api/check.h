/* Checks of the C tests: each tells its place, and the program fails at its end if one has. */
#ifndef AXISMASK_TESTS_CHECK_H
#define AXISMASK_TESTS_CHECK_H
#include <axismask.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;
static int checks = 0;

#define CHECK(claim)                                                \
  do {                                                              \
    ++checks;                                                       \
    if (!(claim)) {                                                 \
      ++failures;                                                   \
      printf("%s:%d: is not so: %s\n", __FILE__, __LINE__, #claim); \
    }                                                               \
  } while (0)

#define OK(call)                                                                         \
  do {                                                                                   \
    ++checks;                                                                            \
    if ((call) != AXISMASK_OK) {                                                         \
      ++failures;                                                                        \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, axismask_last_error()->line); \
    }                                                                                    \
  } while (0)

/* The call is refused with this line, after "axismask: error". */
#define REFUSED(call, text)                                                                                           \
  do {                                                                                                                \
    ++checks;                                                                                                         \
    const axismask_status refused_status = (call);                                                                    \
    if (refused_status != AXISMASK_REFUSED || strcmp(axismask_last_error()->line, "axismask: error" text) != 0) {     \
      ++failures;                                                                                                     \
      printf("%s:%d: %s gave %d\n  %s\n  wanted axismask: error%s\n", __FILE__, __LINE__, #call, (int)refused_status, \
             axismask_last_error()->line, text);                                                                      \
    }                                                                                                                 \
  } while (0)

/* DLPack 1.0's tensor, as <dlpack/dlpack.h> has it. */
typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} tensor_of_test;
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned*);
  uint64_t flags;
  tensor_of_test tensor;
};

static const char spec[] =
    "{\"axismask\": 1, \"model\": \"test\", \"layers\": ["
    "{\"name\": \"local\", \"type\": \"ApplyCausalSlidingWindowAttentionMask\", \"masked_out_value\": -1e9,"
    " \"sliding_window_size\": 2},"
    "{\"name\": \"global\", \"type\": \"ApplyCausalAttentionMask\", \"masked_out_value\": \"-inf\"}]}";

static const char* const both_axes[] = {"seq", "kv_seq"};
static const char* const seq_axis[] = {"seq"};

/* Arrays of 4 tokens. */
static const int64_t four_by_four[] = {4, 4};
static const int64_t four[] = {4};

static axismask_array array_of(void* data, int32_t dtype, int32_t ndim, const int64_t* shape, const char* const* axes) {
  axismask_array array;
  memset(&array, 0, sizeof array);
  array.data = data;
  array.dtype = dtype;
  array.ndim = ndim;
  array.shape = shape;
  array.axes = axes;
  return array;
}

static int end_of_checks(void) {
  printf("%d checks, %d failures\n", checks, failures);
  return failures == 0 ? 0 : 1;
}
#endif
