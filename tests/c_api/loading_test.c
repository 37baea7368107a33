/* Libraries that come and go: loading_test LIBRARY PLUGIN COPY_OF_IT OTHER_VERSION. Threads open the library, call with
 * threads of the runtime's own, load plugins that are taken and plugins that are refused, and close it. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { threads = 4, rounds = 25, tokens = 700 };
static char** files;
static const char own_spec[] =
    "{\"axismask\": 1, \"model\": \"own\", \"layers\": [{\"name\": \"own\", \"type\": \"ApplyOwnMask\","
    " \"masked_out_value\": 0}]}";

typedef struct {
  void* library;
  axismask_status (*load)(const char*);
  axismask_status (*parse)(const char*, size_t, const char*, axismask_model**);
  axismask_status (*layer)(const axismask_model*, const char*, const axismask_layer**);
  axismask_status (*apply)(const axismask_layer*, const axismask_array*, const axismask_input*, size_t,
                           const axismask_call_options*);
  axismask_status (*free_model)(axismask_model*);
} entries;

static int find(void* library, const char* name, void* function) {
  void* const found = dlsym(library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static int open_library(entries* of) {
  of->library = dlopen(files[1], RTLD_NOW | RTLD_LOCAL);
  return of->library != NULL && find(of->library, "axismask_load_layers", &of->load) &&
         find(of->library, "axismask_model_parse", &of->parse) &&
         find(of->library, "axismask_model_layer", &of->layer) &&
         find(of->library, "axismask_layer_apply_in_place", &of->apply) &&
         find(of->library, "axismask_model_free", &of->free_model);
}

/* Each token is kept for itself alone, by ApplyOwnMask. */
static int is_right(const entries* with, float* logits, const int32_t* positions) {
  static const int64_t sizes[] = {tokens, tokens};
  static const char* const axes[] = {"seq", "kv_seq"};
  const axismask_array square = {logits, AXISMASK_FLOAT32, AXISMASK_HOST, 2, 0, sizes, NULL, axes};
  const axismask_input input = {"token_positions",
                                {(void*)(size_t)positions, AXISMASK_INT32, AXISMASK_HOST, 1, 1, sizes, NULL, axes}};
  axismask_call_options options = AXISMASK_CALL_OPTIONS;
  axismask_model* model = NULL;
  const axismask_layer* layer = NULL;
  int right = 1;
  int at;
  options.threads = 3;
  for (at = 0; at < tokens * tokens; ++at) logits[at] = 1;
  if (with->parse(own_spec, strlen(own_spec), NULL, &model) != AXISMASK_OK) return 0;
  right = with->layer(model, "own", &layer) == AXISMASK_OK &&
          with->apply(layer, &square, &input, 1, &options) == AXISMASK_OK;
  for (at = 0; at < tokens * tokens; ++at) right = right && logits[at] == (at % (tokens + 1) == 0 ? 1.0F : 0.0F);
  with->free_model(model);
  return right;
}

static void* come_and_go(void* wrong) {
  float* const logits = malloc(sizeof(float) * tokens * tokens);
  int32_t positions[tokens];
  int round;
  for (round = 0; round < tokens; ++round) positions[round] = round;
  for (round = 0; round < rounds; ++round) {
    entries with;
    if (!open_library(&with) || with.load(files[2]) != AXISMASK_OK || with.load(files[3]) != AXISMASK_REFUSED ||
        with.load(files[4]) != AXISMASK_REFUSED || !is_right(&with, logits, positions)) {
      ++*(int*)wrong;
      break;
    }
    dlclose(with.library);
  }
  free(logits);
  return NULL;
}

int main(int count, char** arguments) {
  pthread_t running[threads];
  int wrong[threads] = {0};
  int at;
  if (count != 5) return 2;
  files = arguments;
  for (at = 0; at < threads; ++at) CHECK(pthread_create(&running[at], NULL, come_and_go, &wrong[at]) == 0);
  for (at = 0; at < threads; ++at) {
    pthread_join(running[at], NULL);
    CHECK(wrong[at] == 0);
  }
  /* What was closed leaves nothing that fork, or the end of a thread, would call. */
  for (at = 0; at < 3; ++at) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
      int child_wrong = 0;
      come_and_go(&child_wrong);
      _exit(child_wrong);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  return end_of_checks();
}
