/* What each function of axismask.h does, in C99. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"

/* The mask of a window of 2 over 4 tokens. */
static const uint8_t window_of_2[16] = {1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1};

static axismask_model* model = NULL;
static const axismask_layer* local = NULL;
static int32_t positions[4] = {0, 1, 2, 3};
static axismask_input inputs[1];

static void versions(void) {
  CHECK(axismask_version() == AXISMASK_VERSION);
  OK(axismask_check_version(AXISMASK_VERSION));
  CHECK(AXISMASK_VERSION == AXISMASK_TEST_VERSION);
  CHECK(strcmp(axismask_last_error()->line, "") == 0); /* none yet */
}

static void models(void) {
  size_t count = 0;
  size_t bytes = 0;
  const axismask_layer* layer = NULL;
  axismask_layer_info info;
  axismask_model* again = NULL;
  char* text;
  FILE* file;
  OK(axismask_model_parse(spec, strlen(spec), NULL, &model));
  OK(axismask_model_layer_count(model, &count));
  CHECK(count == 2);
  OK(axismask_model_layer_at(model, 1, &layer));
  OK(axismask_layer_describe(layer, &info));
  CHECK(strcmp(info.name, "global") == 0 && strcmp(info.type, "ApplyCausalAttentionMask") == 0);
  CHECK(strcmp(info.formula, "q >= k && k >= 0") == 0 && strcmp(info.place, "/layers/1") == 0);
  OK(axismask_model_layer(model, "local", &local));
  OK(axismask_layer_describe(local, &info));
  CHECK(strcmp(info.formula, "q >= k && q - k < 2 && k >= 0") == 0);

  OK(axismask_model_json(model, NULL, 0, &bytes));
  text = malloc(bytes);
  OK(axismask_model_json(model, text, bytes, &bytes));
  CHECK(strlen(text) + 1 == bytes);
  file = fopen("works_test.json", "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
  OK(axismask_model_load("works_test.json", &again));
  OK(axismask_model_layer_count(again, &count));
  CHECK(count == 2);
  free(text);
  OK(axismask_model_free(again));
  OK(axismask_model_free(NULL));
}

static void configs(void) {
  static const char text[] = "{\"model_type\": \"gemma3_text\", \"num_hidden_layers\": 6, \"sliding_window\": 512}";
  axismask_config* config = NULL;
  axismask_model* made = NULL;
  const axismask_layer* layer = NULL;
  axismask_layer_info info;
  size_t count = 99;
  const char* line = NULL;
  FILE* file = fopen("works_config.json", "w");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
  OK(axismask_config_load("works_config.json", &config));
  OK(axismask_config_model(config, 0, &made));
  OK(axismask_config_free(config));
  OK(axismask_model_layer(made, "layers.0", &layer));
  OK(axismask_layer_describe(layer, &info));
  CHECK(strcmp(info.formula, "q >= k && q - k < 512 && k >= 0") == 0);
  OK(axismask_model_free(made));

  static const char unknown[] = "{\"model_type\": \"no_such_model\", \"num_hidden_layers\": 2}";
  OK(axismask_config_parse(unknown, strlen(unknown), "unknown.json", &config));
  OK(axismask_config_warning_count(config, &count));
  CHECK(count >= 1);
  OK(axismask_config_warning(config, 0, &line));
  CHECK(strncmp(line, "axismask: warning[", 18) == 0);
  OK(axismask_config_model(config, AXISMASK_TAKE_GUESS, &made));
  OK(axismask_model_layer_count(made, &count));
  CHECK(count == 2);
  OK(axismask_model_free(made));
  OK(axismask_config_free(config));
}

static int tasks_run = 0;
static void run_tasks(void* pool, int count, void (*task)(void* context, int index), void* context) {
  int index;
  for (index = 0; index < count; ++index) task(context, index);
  if (*(int*)pool < count) *(int*)pool = count; /* the most at once */
}

static void calls(void) {
  float logits[16];
  float result[16];
  static float large[2048 * 2048];
  static int32_t large_positions[2048];
  const int64_t large_shape[] = {2048, 2048};
  const int64_t transposed[] = {1, 4};
  axismask_array from = array_of(logits, AXISMASK_FLOAT32, 2, four_by_four, both_axes);
  axismask_array to = array_of(result, AXISMASK_FLOAT32, 2, four_by_four, both_axes);
  axismask_call_options options = AXISMASK_CALL_OPTIONS;
  axismask_input large_input;
  int at;
  for (at = 0; at < 16; ++at) logits[at] = (float)at;
  from.read_only = 1;
  OK(axismask_layer_apply(local, &from, &to, inputs, 1, NULL));
  for (at = 0; at < 16; ++at) CHECK(result[at] == (window_of_2[at] ? (float)at : -1e9F));
  from.read_only = 0;
  from.strides = transposed; /* keys along the first axis of the memory */
  OK(axismask_layer_apply_in_place(local, &from, inputs, 1, &options));
  for (at = 0; at < 16; ++at) CHECK(logits[at] == (window_of_2[at % 4 * 4 + at / 4] ? (float)at : -1e9F));

  for (at = 0; at < 2048; ++at) large_positions[at] = at;
  from = array_of(large, AXISMASK_FLOAT32, 2, large_shape, both_axes);
  large_input.name = "token_positions";
  large_input.array = array_of(large_positions, AXISMASK_INT32, 1, large_shape, seq_axis);
  options.threads = 2;
  options.run_tasks = run_tasks;
  options.pool = &tasks_run;
  options.device = "cpu";
  OK(axismask_plan_make(local, 128, 128, &large_input, 1, (axismask_plan**)&options.plan));
  OK(axismask_layer_apply_in_place(local, &from, &large_input, 1, &options));
  CHECK(tasks_run == 2);
  CHECK(large[0] == 0.0F && large[1] == -1e9F && large[2047 * 2048 + 2047] == 0.0F &&
        large[2047 * 2048 + 2045] == -1e9F);
  OK(axismask_plan_free((axismask_plan*)options.plan));
  OK(axismask_release_device_memory());
}

static void masks(void) {
  uint8_t kept[16];
  float added[20];
  uint16_t halves[16];
  uint8_t bits[4] = {0xFF, 0xFF, 0xFF, 0xFF};
  const int64_t padded[] = {4, 5};
  const int64_t bit_strides[] = {8, 1};
  axismask_array to = array_of(kept, AXISMASK_BOOL, 2, four_by_four, both_axes);
  axismask_mask_options options = AXISMASK_MASK_OPTIONS;
  axismask_bits bit_array;
  int at;
  OK(axismask_write_mask(local, &to, inputs, 1, NULL));
  CHECK(memcmp(kept, window_of_2, 16) == 0);
  options.pad_keys = 1;
  to = array_of(added, AXISMASK_FLOAT32, 2, padded, both_axes);
  OK(axismask_write_mask(local, &to, inputs, 1, &options));
  for (at = 0; at < 20; ++at) CHECK(at % 5 < 4 && window_of_2[at / 5 * 4 + at % 5] ? added[at] == 0 : isinf(added[at]));
  options.pad_keys = 0;
  options.masked = AXISMASK_NUMBER;
  options.number = -2.0;
  to = array_of(halves, AXISMASK_FLOAT16, 2, four_by_four, both_axes);
  OK(axismask_write_mask(local, &to, inputs, 1, &options));
  for (at = 0; at < 16; ++at) CHECK(halves[at] == (window_of_2[at] ? 0 : 0xC000));
  options.masked = AXISMASK_LOWEST;
  OK(axismask_write_mask(local, &to, inputs, 1, &options));
  for (at = 0; at < 16; ++at) CHECK(halves[at] == (window_of_2[at] ? 0 : 0xFBFF));

  memset(&bit_array, 0, sizeof bit_array);
  bit_array.data = bits;
  bit_array.bytes = 4;
  bit_array.ndim = 2;
  bit_array.shape = four_by_four;
  bit_array.axes = both_axes;
  OK(axismask_write_mask_bits(local, &bit_array, inputs, 1, NULL));
  CHECK(bits[0] == 1 && bits[1] == 3 && bits[2] == 6 && bits[3] == 12);
  bit_array.big_endian = 1;
  bit_array.layout = AXISMASK_BITS_PACKED;
  bit_array.bytes = 2;
  OK(axismask_write_mask_bits(local, &bit_array, inputs, 1, NULL));
  CHECK(bits[0] == 0x8C && bits[1] == 0x63 && bits[2] == 6);
  bit_array.layout = AXISMASK_BITS_STRIDED;
  bit_array.strides = bit_strides;
  bit_array.big_endian = 0;
  bit_array.bytes = 4;
  memset(bits, 0xF0, 4); /* bits between the rows are left alone */
  OK(axismask_write_mask_bits(local, &bit_array, inputs, 1, NULL));
  CHECK(bits[0] == 0xF1 && bits[1] == 0xF3 && bits[2] == 0xF6 && bits[3] == 0xFC);
}

/* A window of 2 over scores of 0: each query takes the mean of two values, the first its own. */
static void attention(void) {
  static const char* const query_axes[] = {"seq", "d"};
  static const char* const key_axes[] = {"kv_seq", "d"};
  static const int64_t shape[] = {4, 1};
  float zeros[4] = {0, 0, 0, 0};
  float ones[4] = {1, 1, 1, 1};
  float given[4] = {1, 3, 5, 7};
  float sink[4];
  float made[4];
  float sums[4];
  int at;
  const axismask_array queries = array_of(zeros, AXISMASK_FLOAT32, 2, shape, query_axes);
  const axismask_array keys = array_of(ones, AXISMASK_FLOAT32, 2, shape, key_axes);
  const axismask_array values = array_of(given, AXISMASK_FLOAT32, 2, shape, key_axes);
  const axismask_array out = array_of(made, AXISMASK_FLOAT32, 2, shape, query_axes);
  const axismask_array log_sum_exp = array_of(sums, AXISMASK_FLOAT32, 1, four, seq_axis);
  const axismask_array sinks = array_of(sink, AXISMASK_FLOAT32, 1, four, seq_axis);
  const axismask_attention_arrays arrays = {&queries, &keys, &values, &out};
  axismask_attention_options options = AXISMASK_ATTENTION_OPTIONS;
  axismask_call_options call = AXISMASK_CALL_OPTIONS;
  call.threads = 1;
  options.projection = "d";
  options.call = &call;
  options.log_sum_exp = &log_sum_exp;
  OK(axismask_attend(local, &arrays, inputs, 1, &options));
  for (at = 0; at < 4; ++at) {
    CHECK(made[at] == (at == 0 ? 1.0F : 2.0F * (float)at));
    CHECK(fabsf(sums[at] - (at == 0 ? 0.0F : 0.6931472F)) < 1e-6F);
  }
  /* A sink takes as much weight as a key whose score is its own. */
  for (at = 0; at < 4; ++at) sink[at] = 0;
  options.sinks = &sinks;
  OK(axismask_attend(local, &arrays, inputs, 1, &options));
  for (at = 0; at < 4; ++at) CHECK(fabsf(made[at] - (at == 0 ? 0.5F : 4.0F * (float)at / 3.0F)) < 1e-6F);
  /* Scores of 8 become 4 times as much, and are bound by 1: a key's weight beside the sink's is e / (1 + e). */
  for (at = 0; at < 4; ++at) zeros[at] = 8;
  options.scale = 4;
  options.softcap = 1;
  options.log_sum_exp = NULL;
  OK(axismask_attend(local, &arrays, inputs, 1, &options));
  CHECK(fabsf(made[0] - 0.7310586F) < 1e-6F);
}

static void plans(void) {
  axismask_plan* plan = NULL;
  axismask_plan* exact = NULL;
  axismask_plan_info info;
  axismask_arrays* arrays = NULL;
  axismask_array view;
  const char* name = NULL;
  size_t count = 0;
  int32_t verdict = -1;
  uint8_t verdicts[4];
  int64_t starts[5];
  axismask_form_info form;
  axismask_form_options options = AXISMASK_FORM_OPTIONS;
  OK(axismask_plan_make(local, 2, 2, inputs, 1, &plan));
  OK(axismask_plan_describe(plan, &info));
  CHECK(info.queries == 4 && info.keys == 4 && info.rows == 2 && info.columns == 2 && info.planes == 1);
  CHECK(info.none == 1 && info.some == 3 && info.all == 0 && info.plane_axis_count == 0 && info.tile_keys == 2);
  CHECK(strcmp(info.query_axis, "seq") == 0 && strcmp(info.kv_axis, "kv_seq") == 0);
  OK(axismask_plan_at(plan, 0, 0, 1, &verdict));
  CHECK(verdict == AXISMASK_NONE);
  OK(axismask_plan_verdicts(plan, verdicts, 4));
  CHECK(verdicts[0] == AXISMASK_SOME && verdicts[1] == AXISMASK_NONE && verdicts[2] == 1 && verdicts[3] == 1);
  OK(axismask_plan_list(plan, AXISMASK_SOME, &arrays));
  OK(axismask_arrays_count(arrays, &count));
  CHECK(count == 2);
  OK(axismask_arrays_get(arrays, "tiles", &view));
  CHECK(view.shape[0] == 3 && ((const int32_t*)view.data)[2] == 1 && view.dtype == AXISMASK_INT32 && view.read_only);
  OK(axismask_arrays_free(arrays));
  OK(axismask_plan_make_exact(local, 2, 2, inputs, 1, &exact));
  OK(axismask_plan_at(exact, 0, 1, 0, &verdict));
  CHECK(verdict == AXISMASK_SOME);
  OK(axismask_plan_free(exact));
  OK(axismask_plan_free(plan));

  OK(axismask_spans(local, inputs, 1, NULL, &arrays));
  OK(axismask_arrays_copy(arrays, "starts", starts, sizeof starts));
  CHECK(starts[0] == 0 && starts[4] == 4);
  OK(axismask_arrays_get(arrays, "ends", &view));
  CHECK(((const int64_t*)view.data)[0] == 1 && ((const int64_t*)view.data)[3] == 4);
  OK(axismask_arrays_get(arrays, "shape", &view));
  CHECK(view.shape[0] == 2 && ((const int64_t*)view.data)[0] == 4);
  OK(axismask_arrays_free(arrays));

  OK(axismask_form_count(&count));
  CHECK(count >= 10);
  OK(axismask_form_describe(0, &form));
  CHECK(strcmp(form.name, "flex") == 0 && form.has_tiles == 1 && form.has_pages == 0 && strlen(form.target) > 0);
  options.tile_queries = 2;
  options.tile_keys = 2;
  OK(axismask_write_form(local, "flex", inputs, 1, &options, &arrays));
  OK(axismask_arrays_at(arrays, 0, &name, &view));
  CHECK(strcmp(name, "kv_num_blocks") == 0 && view.ndim == 3 && view.shape[2] == 2);
  CHECK(((const int32_t*)view.data)[0] == 1 && ((const int32_t*)view.data)[1] == 2);
  OK(axismask_arrays_free(arrays));
}

static void positions_of_serving(void) {
  int64_t out[8];
  int32_t numbers[8];
  int32_t documents[8];
  uint8_t mask[4] = {0, 1, 1, 0};
  const int64_t lengths[] = {1, 3};
  const int64_t cu_seqlens[] = {0, 2, 3};
  const int64_t eight[] = {8};
  const int64_t three[] = {3};
  axismask_array long_out = array_of(out, AXISMASK_INT64, 1, eight, NULL);
  axismask_array ids = array_of(numbers, AXISMASK_INT32, 1, four, NULL);
  axismask_array flags = array_of(mask, AXISMASK_BOOL, 1, four, NULL);
  axismask_array places = array_of(documents, AXISMASK_INT32, 1, four, NULL);
  axismask_array offsets = array_of((void*)cu_seqlens, AXISMASK_INT64, 1, three, NULL);
  axismask_ring* ring = NULL;
  int64_t tokens = -1;
  OK(axismask_positions_consecutive(5, &long_out));
  CHECK(out[0] == 5 && out[7] == 12);
  OK(axismask_positions_left_padded(lengths, 2, 4, &long_out));
  CHECK(out[2] == -1 && out[3] == 0 && out[4] == -1 && out[7] == 2);
  OK(axismask_positions_right_padded(lengths, 2, 4, &long_out));
  CHECK(out[0] == 0 && out[1] == -1 && out[6] == 2 && out[7] == -1);
  OK(axismask_positions_packed(lengths, 2, &places, &ids));
  CHECK(documents[0] == 0 && documents[1] == 1 && numbers[0] == 0 && numbers[3] == 2);
  OK(axismask_positions_from_attention_mask(&flags, 4, &ids));
  CHECK(numbers[0] == -1 && numbers[1] == 0 && numbers[2] == 1 && numbers[3] == -1);
  numbers[0] = 7;
  numbers[1] = 9;
  OK(axismask_positions_from_position_ids(&ids, &flags, &ids));
  CHECK(numbers[0] == -1 && numbers[1] == 9 && numbers[3] == -1);
  OK(axismask_positions_from_cu_seqlens(&offsets, &places, &ids));
  CHECK(numbers[1] == 1 && numbers[2] == 0 && documents[2] == 1 && documents[3] == -1);

  OK(axismask_ring_capacity(3, 2, 0, &tokens));
  CHECK(tokens == 4);
  OK(axismask_ring_make(&ids, 3, 0, &ring));
  CHECK(numbers[0] == -1 && numbers[3] == -1);
  OK(axismask_ring_append(ring, 2));
  OK(axismask_ring_append(ring, 2));
  OK(axismask_ring_append(ring, 1));
  OK(axismask_ring_tokens(ring, &tokens));
  CHECK(tokens == 5 && numbers[0] == 4 && numbers[1] == 1);
  OK(axismask_ring_trim(ring, 4));
  OK(axismask_ring_tokens(ring, &tokens));
  CHECK(tokens == 4 && numbers[0] == -1);
  OK(axismask_ring_free(ring));
  OK(axismask_ring_make(&ids, 2, 1, &ring)); /* a sink */
  OK(axismask_ring_append(ring, 2));
  OK(axismask_ring_append(ring, 2));
  OK(axismask_ring_append(ring, 1));
  CHECK(numbers[0] == 0 && numbers[1] == 4 && numbers[2] == 2 && numbers[3] == 3);
  OK(axismask_ring_free(ring));
}

static void tensors(void) {
  axismask_arrays* arrays = NULL;
  axismask_array view;
  axismask_array back;
  struct DLManagedTensorVersioned* tensor = NULL;
  OK(axismask_arrays_new("mask", AXISMASK_BOOL, 2, four_by_four, both_axes, &arrays));
  OK(axismask_arrays_get(arrays, "mask", &view));
  CHECK((uintptr_t)view.data % 64 == 0 && view.read_only == 0 && strcmp(view.axes[1], "kv_seq") == 0);
  OK(axismask_write_mask(local, &view, inputs, 1, NULL));
  OK(axismask_arrays_to_dlpack(arrays, "mask", &tensor));
  OK(axismask_arrays_free(arrays)); /* the tensor keeps the memory */
  CHECK(tensor->major == 1 && tensor->flags == 0 && tensor->tensor.code == 6 && tensor->tensor.bits == 8);
  CHECK(tensor->tensor.strides[0] == 4 && memcmp(tensor->tensor.data, window_of_2, 16) == 0);
  OK(axismask_from_dlpack(tensor, both_axes, 2, &back));
  CHECK(back.dtype == AXISMASK_BOOL && back.shape[1] == 4 && back.read_only == 0);
  tensor->tensor.byte_offset = 4;
  OK(axismask_from_dltensor(&tensor->tensor, both_axes, 2, &back));
  CHECK((const uint8_t*)back.data == (const uint8_t*)tensor->tensor.data + 4);
  tensor->deleter(tensor);

  OK(axismask_spans(local, inputs, 1, NULL, &arrays));
  OK(axismask_arrays_to_dlpack(arrays, "ends", &tensor));
  CHECK(tensor->flags == 1);
  OK(axismask_from_dlpack(tensor, seq_axis, 1, &back));
  CHECK(back.read_only == 1 && ((const int64_t*)back.data)[3] == 4);
  OK(axismask_arrays_free(arrays));
  tensor->deleter(tensor);
}

/* Each thread has its own error, also while others fail. */
static void* fail_often(void* index) {
  char name[32];
  char wanted[64];
  int round;
  const axismask_layer* layer = NULL;
  sprintf(name, "no layer %d", *(const int*)index);
  sprintf(wanted, "has no layer \"%s\"", name);
  for (round = 0; round < 100; ++round) {
    if (axismask_model_layer(model, name, &layer) != AXISMASK_REFUSED) return index;
    if (strstr(axismask_last_error()->what, wanted) == NULL) return index;
  }
  return NULL;
}

static void threads(void) {
  pthread_t running[4];
  int numbers[4] = {0, 1, 2, 3};
  int thread;
  for (thread = 0; thread < 4; ++thread) {
    CHECK(pthread_create(&running[thread], NULL, fail_often, &numbers[thread]) == 0);
  }
  for (thread = 0; thread < 4; ++thread) {
    void* wrong = NULL;
    CHECK(pthread_join(running[thread], &wrong) == 0 && wrong == NULL);
  }
}

int main(void) {
  inputs[0].name = "token_positions";
  inputs[0].array = array_of(positions, AXISMASK_INT32, 1, four, seq_axis);
  versions();
  models();
  configs();
  calls();
  masks();
  attention();
  plans();
  positions_of_serving();
  tensors();
  threads();
  OK(axismask_model_free(model));
  return end_of_checks();
}
