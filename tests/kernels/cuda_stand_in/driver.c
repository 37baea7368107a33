// Stands in for CUDA's driver where there is no card: memory of the "card" is the program's own, copies are made,
// streams and contexts are numbers, and kernels do nothing. What lies outside of memory that was asked for is refused,
// and what was done is counted, so that a test sees everything of a call on a card but what its kernels compute.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t device_pointer;
enum { success = 0, invalid_value = 1, out_of_memory = 2, no_device = 100 };
enum { most_pieces = 4096 };

static struct {
  device_pointer start;
  size_t size;
} pieces[most_pieces];
static size_t piece_count;
static size_t allocations;
static size_t fail_from;  // the allocation that fails, and all after it; 0: none. Halide tries again when one fails.
static size_t launches;
static size_t bad_copies;
static void* last_stream;
static char the_context;
static _Thread_local void* contexts[16] = {&the_context};
static _Thread_local size_t depth;

// For the test.
size_t stand_in_pieces(void) { return piece_count; }
size_t stand_in_launches(void) { return launches; }
size_t stand_in_bad_copies(void) { return bad_copies; }
void* stand_in_last_stream(void) { return last_stream; }
void stand_in_fail_from(size_t nth) {
  fail_from = nth;
  allocations = 0;
}

static int holds(device_pointer at, size_t bytes) {
  for (size_t i = 0; i < piece_count; ++i) {
    if (at >= pieces[i].start && bytes <= pieces[i].size && at - pieces[i].start <= pieces[i].size - bytes) return 1;
  }
  ++bad_copies;
  return 0;
}

int cuInit(unsigned flags) { return flags == 0 ? success : invalid_value; }
int cuDeviceGetCount(int* count) { return *count = 1, success; }
int cuDeviceGet(int* device, int ordinal) { return *device = 0, ordinal == 0 ? success : invalid_value; }
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  enum { capability_major = 75, capability_minor = 76 };
  *value = attribute == capability_major ? 8 : attribute == capability_minor ? 0 : 1024;
  return device == 0 ? success : invalid_value;
}
int cuDeviceGetName(char* name, int length, int device) {
  strncpy(name, "stand-in", (size_t)length);
  return device == 0 ? success : invalid_value;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = (size_t)1 << 34;
  return device == 0 ? success : invalid_value;
}
int cuCtxCreate_v2(void** context, unsigned flags, int device) {
  *context = contexts[++depth] = &the_context;
  return flags == 0 && device == 0 ? success : invalid_value;
}
int cuCtxDestroy_v2(void* context) { return context == &the_context ? success : invalid_value; }
int cuCtxGetApiVersion(void* context, unsigned* version) {
  *version = 3020;
  return context == &the_context ? success : invalid_value;
}
int cuCtxGetDevice(int* device) { return *device = 0, success; }
int cuCtxGetCurrent(void** context) { return *context = contexts[depth], success; }
int cuCtxPushCurrent_v2(void* context) { return contexts[++depth] = context, success; }
int cuCtxPopCurrent_v2(void** context) { return *context = contexts[depth--], success; }
int cuCtxSynchronize(void) { return success; }
int cuStreamSynchronize(void* stream) { return last_stream = stream, success; }
int cuProfilerStop(void) { return success; }
int cuPointerGetAttribute(void* context, int attribute, device_pointer at) {
  (void)attribute;
  *(void**)context = &the_context;
  return holds(at, 0) ? success : invalid_value;
}

int cuModuleLoadData(void** module, const void* image) {
  return *module = &launches, image != NULL ? success : invalid_value;
}
int cuModuleLoadDataEx(void** module, const void* image, unsigned count, int* options, void** values) {
  (void)count, (void)options, (void)values;
  return cuModuleLoadData(module, image);
}
int cuModuleUnload(void* module) { return module == &launches ? success : invalid_value; }
int cuModuleGetFunction(void** function, void* module, const char* name) {
  *function = &launches;
  return module == &launches && strncmp(name, "_kernel_", 8) == 0 ? success : invalid_value;
}
int cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared, void* stream, void** arguments, void** extra) {
  (void)shared, (void)extra;
  ++launches;
  last_stream = stream;
  const int grid_fits = grid_x > 0 && grid_x <= 2147483647U && grid_y > 0 && grid_y <= 65535 && grid_z == 1;
  const int block_fits = block_x > 0 && block_y > 0 && block_x * block_y * block_z <= 1024;
  return function == &launches && arguments != NULL && grid_fits && block_fits ? success : invalid_value;
}

int cuMemAlloc_v2(device_pointer* at, size_t bytes) {
  ++allocations;
  if ((fail_from > 0 && allocations >= fail_from) || piece_count == most_pieces) return out_of_memory;
  *at = (device_pointer)malloc(bytes);
  if (*at == 0) return out_of_memory;
  pieces[piece_count].start = *at;
  pieces[piece_count++].size = bytes;
  return success;
}
int cuMemFree_v2(device_pointer at) {
  for (size_t i = 0; i < piece_count; ++i) {
    if (pieces[i].start != at) continue;
    pieces[i] = pieces[--piece_count];
    free((void*)at);
    return success;
  }
  return invalid_value;
}
int cuMemcpyHtoD_v2(device_pointer to, const void* from, size_t bytes) {
  if (!holds(to, bytes)) return invalid_value;
  memcpy((void*)to, from, bytes);
  return success;
}
int cuMemcpyDtoH_v2(void* to, device_pointer from, size_t bytes) {
  if (!holds(from, bytes)) return invalid_value;
  memcpy(to, (void*)from, bytes);
  return success;
}
int cuMemcpyDtoD_v2(device_pointer to, device_pointer from, size_t bytes) {
  if (!holds(to, bytes) || !holds(from, bytes)) return invalid_value;
  memmove((void*)to, (void*)from, bytes);
  return success;
}
int cuMemcpyHtoDAsync_v2(device_pointer to, const void* from, size_t bytes, void* stream) {
  last_stream = stream;
  return cuMemcpyHtoD_v2(to, from, bytes);
}
int cuMemcpyDtoHAsync_v2(void* to, device_pointer from, size_t bytes, void* stream) {
  last_stream = stream;
  return cuMemcpyDtoH_v2(to, from, bytes);
}
int cuMemcpyDtoDAsync_v2(device_pointer to, device_pointer from, size_t bytes, void* stream) {
  last_stream = stream;
  return cuMemcpyDtoD_v2(to, from, bytes);
}
int cuMemcpy3D_v2(const void* what) { return what != NULL ? no_device : invalid_value; }  // nothing of ours has gaps
