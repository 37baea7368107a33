/* Bad input to each function of axismask.h: a status and the line of the error, and nothing written. */
#include <stdlib.h>

#include "check.h"

static axismask_model* model = NULL;
static const axismask_layer* local = NULL;
static int32_t positions[4] = {0, 1, 2, 3};
static float logits[16];
static axismask_array masked;
static axismask_input inputs[1];

static void start(void) {
  masked = array_of(logits, AXISMASK_FLOAT32, 2, four_by_four, both_axes);
  inputs[0].name = "token_positions";
  inputs[0].array = array_of(positions, AXISMASK_INT32, 1, four, seq_axis);
}

#define APPLY() axismask_layer_apply_in_place(local, &masked, inputs, 1, NULL)

static void handles(void) {
  axismask_model* ended = NULL;
  const axismask_layer* of_ended = NULL;
  axismask_plan* plan = NULL;
  int on_the_stack = 0;
  size_t count = 7;
  int64_t tokens = 7;
  OK(axismask_model_parse(spec, strlen(spec), NULL, &ended));
  OK(axismask_model_layer_at(ended, 0, &of_ended));
  OK(axismask_model_free(ended));
  REFUSED(axismask_model_free(ended),
          "[c-handle] model: it is a handle that was freed; free a handle when nothing uses it any more; a layer ends "
          "with its model");
  REFUSED(axismask_model_layer_count(ended, &count),
          "[c-handle] model: it is a handle that was freed; free a handle when nothing uses it any more; a layer ends "
          "with its model");
  REFUSED(axismask_layer_apply_in_place(of_ended, &masked, inputs, 1, NULL),
          "[c-handle] layer: it is a handle that was freed; free a handle when nothing uses it any more; a layer ends "
          "with its model");
  REFUSED(axismask_model_layer_count(NULL, &count), "[c-null] model: it is NULL; give an axismask_model");
  REFUSED(axismask_model_layer_count((const axismask_model*)(const void*)&on_the_stack, &count),
          "[c-handle] model: it is no handle of this library; give an axismask_model");
  REFUSED(axismask_ring_tokens((const axismask_ring*)(const void*)model, &tokens),
          "[c-handle] ring: it is an axismask_model; give an axismask_ring");
  CHECK(count == 7 && tokens == 7);
  REFUSED(axismask_plan_make(NULL, 2, 2, inputs, 1, &plan), "[c-null] layer: it is NULL; give an axismask_layer");
  REFUSED(axismask_plan_make(local, 2, 2, inputs, 1, NULL),
          "[c-null] plan: it is NULL; give a pointer to memory that can be written");
  REFUSED(axismask_check_version(200),
          "[c-version] header_version: axismask.h is of version 0.2.0, and the library of 0.1.0; compile with the "
          "header that was installed with the library");
  REFUSED(axismask_check_version(AXISMASK_VERSION + 1),
          "[c-version] header_version: axismask.h is of version 0.1.1, and the library of 0.1.0; compile with the "
          "header that was installed with the library");
}

static void models(void) {
  axismask_model* made = NULL;
  axismask_config* config = NULL;
  const axismask_layer* layer = local;
  const char* line = NULL;
  char text[8] = "before";
  char long_name[300];
  size_t bytes = 0;
  static const char guess[] = "{\"model_type\": \"no_such_model\", \"num_hidden_layers\": 2}";
  memset(long_name, 'n', sizeof long_name);
  REFUSED(axismask_model_parse("{", 1, NULL, &made),
          "[spec-json] spec: the file ends at line 1, column 1, before its JSON does; close what is open there, or get "
          "the whole file");
  REFUSED(axismask_model_parse(NULL, 1, NULL, &made),
          "[c-null] text: it is NULL; give the text, and how many bytes it has");
  REFUSED(axismask_model_parse(spec, strlen(spec), NULL, NULL),
          "[c-null] model: it is NULL; give a pointer to memory that can be written");
  REFUSED(
      axismask_model_load("no/such/file.json", &made),
      "[spec-open] no/such/file.json: it cannot be opened (No such file or directory); give the file of a model spec");
  REFUSED(axismask_model_load(NULL, &made), "[c-null] file: it is NULL; give a text that ends with 0");
  CHECK(made == NULL);
  REFUSED(axismask_model_layer(model, "lokal", &layer),
          "[spec-layer-name] layer: the model \"test\" has no layer \"lokal\" (did you mean \"local\"?); its layers "
          "are \"local\", \"global\"");
  CHECK(layer == NULL);
  REFUSED(axismask_model_layer_at(model, 2, &layer), "[c-index] index: there is no layer 2; give an index below 2");
  REFUSED(axismask_model_json(model, text, sizeof text, &bytes),
          "[c-size] capacity: the text takes 333 bytes, and there are 8; give the bytes that a call with a capacity of "
          "0 tells");
  CHECK(strcmp(text, "before") == 0 && bytes > 8);
  REFUSED(axismask_model_json(model, NULL, 9999, &bytes),
          "[c-null] text: it is NULL; give a pointer to memory that can be written");
  REFUSED(axismask_layer_describe(local, NULL),
          "[c-null] info: it is NULL; give a pointer to memory that can be written");
  REFUSED(axismask_config_load("no_such.json", &config),
          "[config-open] no_such.json: it cannot be opened (No such file or directory); give the file of a model's "
          "config.json");
  OK(axismask_config_parse(guess, strlen(guess), NULL, &config));
  REFUSED(axismask_config_model(config, 0, &made),
          "[config-guess] config: its masks are a guess, because of /model_type (\"no_such_model\" has no rule here; "
          "the general rule is followed, which takes every model for a causal decoder: layer_types, then "
          "sliding_window, then attention_chunk_size, else causal. The model's own class may differ); look at the "
          "model's own code, and give AXISMASK_TAKE_GUESS to take the map all the same");
  REFUSED(axismask_config_model(config, AXISMASK_STRICT, &made),
          "[config-model-type] /model_type: \"no_such_model\" has no rule here; the general rule is followed, which "
          "takes every model for a causal decoder: layer_types, then sliding_window, then attention_chunk_size, else "
          "causal. The model's own class may differ; mend the file, or leave AXISMASK_STRICT out");
  REFUSED(axismask_config_model(config, 8, &made), "[c-option] flags: it is 8; give the sum of flags, from 0 to 7");
  REFUSED(axismask_config_warning(config, 99, &line), "[c-index] index: there is no warning 99; give an index below 1");
  OK(axismask_config_free(config));
  inputs[0].name = long_name; /* of 300 bytes, and no end */
  REFUSED(APPLY(),
          "[c-text] inputs.name[0]: the text has no end within 255 bytes; end it with 0, and make it no longer");
  start();
}

static void arrays(void) {
  const int64_t negative[] = {4, -4};
  const int64_t huge[] = {INT64_MAX / 2, 4};
  const int64_t far[] = {INT64_MAX / 4, 1};
  const int64_t three[] = {3};
  const char* const twice[] = {"seq", "seq"};
  const char* const nameless[] = {"seq", NULL};
  float before[16];
  float other[20];
  axismask_array out;
  axismask_call_options options = AXISMASK_CALL_OPTIONS;
  int at;
  for (at = 0; at < 16; ++at) logits[at] = 1;
  for (at = 0; at < 20; ++at) other[at] = 2;
  memcpy(before, logits, sizeof before);
  REFUSED(axismask_layer_apply_in_place(local, NULL, inputs, 1, NULL),
          "[c-null] logits: it is NULL; give a pointer to what is to be read");
  REFUSED(axismask_layer_apply_in_place(local, &masked, NULL, 1, NULL),
          "[c-null] inputs: it is NULL; give the side inputs, or 0 as their number");
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 33, NULL),
          "[c-size] input_count: there are 33 side inputs, and a layer has at most 32; give the number of elements of "
          "`inputs`");
  REFUSED(axismask_layer_apply_in_place(local, &masked, NULL, 0, NULL),
          "[side-input-missing] token_positions: the side input \"token_positions\" is missing; given: none; give it, "
          "or set the layer's query_positions_input_name");
  REFUSED(axismask_layer_apply(local, &masked, NULL, inputs, 1, NULL),
          "[c-null] out: it is NULL; give memory for the result, or mask in place");
  masked.dtype = 0;
  REFUSED(APPLY(), "[c-dtype] logits.dtype: there is no dtype 0; give an axismask_dtype, such as AXISMASK_FLOAT32");
  masked.dtype = AXISMASK_UINT8;
  REFUSED(APPLY(),
          "[c-dtype] logits.dtype: layers take no integers of 8 or 16 bits; give floats, AXISMASK_INT32, "
          "AXISMASK_INT64 or AXISMASK_BOOL");
  masked.dtype = AXISMASK_INT32;
  REFUSED(APPLY(),
          "[logits-dtype] logits: logits are floats, and this array holds int32; give float16, bfloat16, float32 or "
          "float64");
  start();
  masked.device = 3;
  REFUSED(APPLY(),
          "[c-device] logits.device: there is no device 3; give an axismask_device: AXISMASK_HOST, AXISMASK_CUDA or "
          "AXISMASK_OPENCL");
  start();
  masked.ndim = 17;
  REFUSED(APPLY(),
          "[array-rank] logits.ndim: it has 17 axes, and from 0 to 16 are possible; fold axes that lie next to each "
          "other in memory into one");
  masked.ndim = -1;
  REFUSED(APPLY(),
          "[array-rank] logits.ndim: it has -1 axes, and from 0 to 16 are possible; fold axes that lie next to each "
          "other in memory into one");
  masked.ndim = 1;
  REFUSED(APPLY(),
          "[axis-missing] logits: the logits have no axis \"kv_seq\"; they have \"seq\"; give that axis of the logits "
          "this name, or the logits' own name to the layer's kv_seq_axis");
  start();
  masked.shape = negative;
  REFUSED(APPLY(), "[axis-size] logits.shape[1]: it is -4; give sizes of at least 0");
  masked.shape = huge;
  REFUSED(APPLY(), "[c-size] logits: its shape and strides reach further than addresses do; give the array's own");
  masked.shape = NULL;
  REFUSED(APPLY(), "[c-null] logits.shape: it is NULL; give a size for each axis");
  start();
  masked.strides = far;
  REFUSED(APPLY(), "[c-size] logits: its shape and strides reach further than addresses do; give the array's own");
  start();
  masked.axes = twice;
  REFUSED(APPLY(), "[axis-twice] logits: it has the axis \"seq\" twice; rename one of the two");
  masked.axes = nameless;
  REFUSED(APPLY(), "[c-null] logits.axes[1]: it is NULL; give a text that ends with 0");
  masked.axes = NULL;
  REFUSED(APPLY(), "[c-null] logits.axes: it is NULL; give a name for each axis");
  start();
  masked.data = NULL;
  REFUSED(APPLY(), "[array-null] logits: it has elements and no memory; give a pointer to its first element");
  start();
  masked.data = (char*)masked.data + 1;
  REFUSED(
      APPLY(),
      "[array-alignment] logits: its address is 1 more than a multiple of an element's 4 bytes; give memory that is "
      "aligned for its elements");
  start();
  masked.read_only = 1;
  REFUSED(APPLY(), "[result-const] out: its elements are const; give an array that can be written");
  start();
  inputs[0].array.shape = three;
  REFUSED(APPLY(),
          "[axis-size] token_positions: its axis \"seq\" has size 3, and that of the logits has 4; give one element "
          "for each index of the logits' axis");
  start();
  inputs[0].name = NULL;
  REFUSED(APPLY(), "[c-null] inputs.name[0]: it is NULL; give a text that ends with 0");
  start();
  masked.device = AXISMASK_CUDA;
  inputs[0].array.device = AXISMASK_OPENCL;
  REFUSED(APPLY(),
          "[c-device] logits: the arrays of the call are on CUDA and on OpenCL; give all of them in memory of one "
          "device, or of the host");
  inputs[0].array.device = AXISMASK_HOST;
  options.device = "cpu";
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 1, &options),
          "[c-device] options.device: it asks for \"cpu\", and arrays of the call are in memory of \"cuda\"; leave it "
          "NULL, or give arrays of that device");
  start();
  out = masked;
  out.data = logits + 4; /* lies over the logits */
  out.shape = four_by_four;
  REFUSED(axismask_layer_apply(local, &masked, &out, inputs, 1, NULL),
          "[result-overlap] out: it overlaps the logits without being the same array; give memory of its own, or the "
          "logits themselves to mask in place");
  out.data = other;
  out.dtype = AXISMASK_FLOAT64;
  REFUSED(axismask_layer_apply(local, &masked, &out, inputs, 1, NULL),
          "[result-dtype] out: it holds float64, and the logits float32; give an array of the logits' dtype");
  options.device = "abacus"; /* what there is depends on the build */
  CHECK(axismask_layer_apply_in_place(local, &masked, inputs, 1, &options) == AXISMASK_REFUSED);
  CHECK(strcmp(axismask_last_error()->id, "device-unknown") == 0);
  CHECK(strncmp(axismask_last_error()->what, "there is no device \"abacus\"; there are \"cpu\"", 44) == 0);
  CHECK(strcmp(axismask_last_error()->cure,
               "take one of these, or auto; each device's kernels are a library of their own, "
               "axismask::layers_DEVICE") == 0);
  options.device = NULL;
  options.threads = -1;
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 1, &options),
          "[c-option] options.threads: it is -1; give a number of threads, or 0 for one for each processor");
  options.struct_size = 8;
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 1, &options),
          "[c-struct] options.struct_size: it is 8, and this library's axismask_call_options has 64 bytes; start with "
          "the initialiser of axismask.h, and compile with the library's own header");
  CHECK(memcmp(before, logits, sizeof before) == 0);
  for (at = 0; at < 20; ++at) CHECK(other[at] == 2);
}

static void attention(void) {
  static const char* const query_axes[] = {"seq", "projection"};
  static const char* const key_axes[] = {"kv_seq", "projection"};
  float numbers[16] = {0};
  float made[16] = {0};
  int32_t places[4] = {0, 1, 2, 3};
  axismask_array queries = array_of(numbers, AXISMASK_FLOAT32, 2, four_by_four, query_axes);
  const axismask_array keys = array_of(numbers, AXISMASK_FLOAT32, 2, four_by_four, key_axes);
  axismask_array out = array_of(made, AXISMASK_FLOAT32, 2, four_by_four, query_axes);
  const axismask_input given[] = {{"token_positions", array_of(places, AXISMASK_INT32, 1, four, seq_axis)}};
  axismask_attention_arrays arrays = {&queries, &keys, &keys, &out};
  axismask_attention_options options = AXISMASK_ATTENTION_OPTIONS;
  REFUSED(axismask_attend(NULL, &arrays, given, 1, NULL), "[c-null] layer: it is NULL; give an axismask_layer");
  REFUSED(axismask_attend(local, NULL, given, 1, NULL),
          "[c-null] arrays: it is NULL; give a pointer to what is to be read");
  arrays.values = NULL;
  REFUSED(axismask_attend(local, &arrays, given, 1, NULL),
          "[c-null] values: it is NULL; give a pointer to what is to be read");
  arrays.values = &keys;
  options.struct_size = 8;
  REFUSED(axismask_attend(local, &arrays, given, 1, &options),
          "[c-struct] options.struct_size: it is 8, and this library's axismask_attention_options has 56 bytes; start "
          "with the initialiser of axismask.h, and compile with the library's own header");
  options.struct_size = sizeof options;
  options.projection = "depth";
  REFUSED(axismask_attend(local, &arrays, given, 1, &options),
          "[attention-axes] queries: it has no axis \"depth\"; it has \"seq\", \"projection\"; give it that axis, or "
          "set attention_options::projection to the name of yours");
  options.projection = NULL;
  queries.device = AXISMASK_CUDA;
  REFUSED(axismask_attend(local, &arrays, given, 1, &options),
          "[device-attention] queries: it is in a device's memory, and attention is the processor's; give memory of "
          "the host; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  queries.device = AXISMASK_HOST;
  out.read_only = 1;
  REFUSED(axismask_attend(local, &arrays, given, 1, &options),
          "[result-const] out: its memory is const; give memory that can be written");
  out.read_only = 0;
  REFUSED(axismask_attend(local, &arrays, NULL, 0, &options),
          "[side-input-missing] token_positions: the side input \"token_positions\" is missing; given: none; give it, "
          "or set the layer's query_positions_input_name");
  CHECK(made[0] == 0);
}

static void masks_and_plans(void) {
  axismask_mask_options options = AXISMASK_MASK_OPTIONS;
  axismask_form_options form = AXISMASK_FORM_OPTIONS;
  axismask_call_options call = AXISMASK_CALL_OPTIONS;
  axismask_bits bits;
  uint8_t memory[4] = {7, 7, 7, 7};
  uint16_t halves[16] = {1};
  int32_t verdict = 9;
  axismask_plan* plan = NULL;
  axismask_arrays* arrays_made = NULL;
  axismask_array view;
  axismask_array to = array_of(halves, AXISMASK_FLOAT16, 2, four_by_four, both_axes);
  axismask_array ints = array_of(positions, AXISMASK_INT32, 2, four_by_four, both_axes);
  REFUSED(axismask_write_mask(local, &ints, inputs, 1, NULL),
          "[mask-dtype] out: a mask is written as booleans or floats, and this array holds int32; give bool, float16, "
          "bfloat16, float32 or float64, or a bit_view");
  options.masked = AXISMASK_NUMBER;
  options.number = -1e9;
  REFUSED(axismask_write_mask(local, &to, inputs, 1, &options),
          "[masked-value-range] mask_options::masked: -1e+09 does not fit float16 and would become infinite there; "
          "take \"lowest\" for the lowest number of the logits' dtype, or \"-inf\" if that is meant");
  options.masked = 3;
  REFUSED(axismask_write_mask(local, &to, inputs, 1, &options),
          "[c-option] options.masked: it is 3; give an axismask_masked, from 0 to 2");
  options.struct_size = 0;
  REFUSED(axismask_write_mask(local, &to, inputs, 1, &options),
          "[c-struct] options.struct_size: it is 0, and this library's axismask_mask_options has 32 bytes; start with "
          "the initialiser of axismask.h, and compile with the library's own header");
  CHECK(halves[0] == 1);
  memset(&bits, 0, sizeof bits);
  bits.data = memory;
  bits.bytes = 3;
  bits.ndim = 2;
  bits.shape = four_by_four;
  bits.axes = both_axes;
  REFUSED(axismask_write_mask_bits(local, &bits, inputs, 1, NULL),
          "[c-size] out.bytes: the bits take 4 bytes, and there are 3; give memory for all of them");
  bits.layout = AXISMASK_BITS_STRIDED;
  REFUSED(axismask_write_mask_bits(local, &bits, inputs, 1, NULL),
          "[c-null] out.strides: it is NULL; give strides in bits, or another layout");
  bits.layout = -1;
  REFUSED(axismask_write_mask_bits(local, &bits, inputs, 1, NULL),
          "[c-option] out.layout: it is -1; give an axismask_bit_layout, from 0 to 2");
  REFUSED(axismask_write_mask_bits(local, NULL, inputs, 1, NULL),
          "[c-null] out: it is NULL; give a pointer to what is to be read");
  CHECK(memory[0] == 7 && memory[3] == 7);

  REFUSED(axismask_plan_make(local, 0, 2, inputs, 1, &plan),
          "[plan-tile] tile: a tile of 0 queries and 2 keys is empty; give sizes of at least 1");
  CHECK(plan == NULL);
  OK(axismask_plan_make(local, 2, 2, inputs, 1, &plan));
  REFUSED(axismask_plan_at(plan, 0, 2, 0, &verdict),
          "[plan-index] row: it is 2, and the plan has 2; give one that is less than that, and at least 0");
  REFUSED(axismask_plan_verdicts(plan, memory, 3),
          "[c-size] bytes: there are 4 tiles, and the memory has 3; give a byte for each tile: planes * rows * columns "
          "of axismask_plan_describe");
  REFUSED(axismask_plan_list(plan, 3, &arrays_made),
          "[c-option] verdict: it is 3; give an axismask_verdict, from 0 to 2");
  CHECK(verdict == 9 && memory[0] == 7);
  call.plan = plan;
  positions[0] = 3; /* which the plan does not know */
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 1, &call),
          "[plan-differs] plan: it was made for another layer, other numbers or other side inputs; make a plan of this "
          "layer with these side inputs, or call without one");
  positions[0] = 0;
  OK(axismask_plan_free(plan));
  REFUSED(axismask_layer_apply_in_place(local, &masked, inputs, 1, &call),
          "[c-handle] options.plan: it is a handle that was freed; free a handle when nothing uses it any more; a "
          "layer ends with its model");
  REFUSED(axismask_form_describe(999, NULL), "[c-index] index: there is no form 999; give an index below 11");
  REFUSED(axismask_write_form(local, "felx", inputs, 1, NULL, &arrays_made),
          "[form-unknown] form: there is no form \"felx\" (did you mean \"flex\"?); the forms are \"flex\", "
          "\"flex-pages\", \"fa4\", \"splash\", \"flashinfer-ranges\", \"flashinfer-packed\", \"flashinfer-bsr\", "
          "\"flashmask\", \"magi\", \"cudnn\", \"spans\"");
  form.tile_queries = 0;
  REFUSED(axismask_write_form(local, "flex", inputs, 1, &form, &arrays_made),
          "[form-tile] tile: a tile of 0 queries and 128 keys is empty; give sizes of at least 1");
  CHECK(arrays_made == NULL);
  OK(axismask_spans(local, inputs, 1, NULL, &arrays_made));
  REFUSED(axismask_arrays_get(arrays_made, "end", &view),
          "[form-array] name: there is no array \"end\" (did you mean \"ends\"?); there are \"starts\", \"begins\", "
          "\"ends\", \"shape\"");
  REFUSED(axismask_arrays_at(arrays_made, 4, NULL, NULL),
          "[c-index] index: there is no array 4; give an index below 4");
  REFUSED(axismask_arrays_copy(arrays_made, "ends", memory, 4),
          "[c-size] bytes: the array \"ends\" has 32 bytes, and the memory 4; give memory for all of it, by the shape "
          "and dtype of axismask_arrays_get");
  REFUSED(axismask_arrays_copy(arrays_made, "ends", NULL, 32),
          "[c-null] memory: it is NULL; give memory for the array");
  OK(axismask_arrays_free(arrays_made));
  REFUSED(axismask_arrays_free(arrays_made),
          "[c-handle] arrays: it is a handle that was freed; free a handle when nothing uses it any more; a layer ends "
          "with its model");
  REFUSED(axismask_arrays_new("a", 11, 1, four, NULL, &arrays_made),
          "[c-dtype] arrays.dtype: there is no dtype 11; give an axismask_dtype, such as AXISMASK_FLOAT32");
  REFUSED(axismask_arrays_new("a", AXISMASK_INT8, 1, NULL, NULL, &arrays_made),
          "[c-null] arrays.shape: it is NULL; give a size for each axis");
}

static void no_memory(void) {
  const int64_t too_much[] = {INT64_MAX / 2};
  axismask_arrays* made = NULL;
  CHECK(axismask_arrays_new("a", AXISMASK_INT8, 1, too_much, NULL, &made) == AXISMASK_NO_MEMORY && made == NULL);
  CHECK(strcmp(axismask_last_error()->line,
               "axismask: error[memory] axismask: there is not enough memory; give smaller arrays, or free some") == 0);
}

static void positions_of_serving(void) {
  int32_t out[4] = {9, 9, 9, 9};
  int32_t mask[4] = {0, 1, 2, 1};
  float floats[4];
  const int64_t lengths[] = {5};
  const int64_t two[] = {2};
  int64_t slots = 9;
  axismask_array numbers = array_of(out, AXISMASK_INT32, 1, four, NULL);
  axismask_array flags = array_of(mask, AXISMASK_INT32, 1, four, NULL);
  axismask_array reals = array_of(floats, AXISMASK_FLOAT32, 1, four, NULL);
  axismask_array far = numbers;
  axismask_array longer = array_of(mask, AXISMASK_INT64, 1, two, NULL);
  axismask_ring* ring = NULL;
  far.strides = two;
  REFUSED(axismask_positions_consecutive(0, &reals),
          "[positions-dtype] out: positions are integers of 32 or 64 bits; give AXISMASK_INT32 or AXISMASK_INT64");
  REFUSED(axismask_positions_consecutive(0, &far),
          "[c-layout] out.strides[0]: it is 2, and in C order it is 1; give an array in C order");
  REFUSED(axismask_positions_consecutive(0, NULL), "[c-null] out: it is NULL; give a pointer to what is to be read");
  far = numbers;
  far.device = AXISMASK_CUDA;
  REFUSED(axismask_positions_consecutive(0, &far),
          "[c-layout] out: it is no array in the host's memory of up to 16 axes; give memory of the host");
  far = numbers;
  far.read_only = 1;
  REFUSED(axismask_positions_consecutive(0, &far),
          "[result-const] out: it is read only; give an array that can be written");
  far = numbers;
  far.data = NULL;
  REFUSED(axismask_positions_consecutive(0, &far),
          "[c-null] out.data: it is NULL; give a pointer to its first element");
  REFUSED(axismask_positions_left_padded(lengths, 1, 4, &numbers),
          "[positions-length] positions::left_padded: a row of 4 places is to have 5 tokens; give lengths from 0 to "
          "the width of the rows");
  REFUSED(axismask_positions_right_padded(NULL, 1, 4, &numbers),
          "[c-null] lengths: it is NULL; give a length for each row");
  REFUSED(axismask_positions_right_padded(lengths, 1, -4, &numbers),
          "[positions-length] width: it is -4; give a width of at least 0");
  REFUSED(axismask_positions_packed(lengths, 1, &flags, &numbers),
          "[positions-length] positions::packed: a row of 4 places is to have 5 tokens; give lengths from 0 to the "
          "width of the rows");
  REFUSED(axismask_positions_packed(lengths, 1, &longer, &numbers),
          "[positions-dtype] documents: it has another dtype than `out`; give both the same");
  REFUSED(axismask_positions_from_attention_mask(&flags, 4, &numbers),
          "[positions-mask] positions::from_attention_mask: the attention_mask has 2 in place 2; give 1 for a token "
          "and 0 for padding, as a tokenizer does, and no mask that is added to logits");
  REFUSED(axismask_positions_from_attention_mask(&reals, 4, &numbers),
          "[c-dtype] mask.dtype: its elements are floats; give bool or integers");
  REFUSED(axismask_positions_from_position_ids(&flags, &flags, &numbers),
          "[positions-mask] positions::from_position_ids: the attention_mask has 2 in place 2; give 1 for a token and "
          "0 for padding, as a tokenizer does, and no mask that is added to logits");
  REFUSED(axismask_positions_from_cu_seqlens(&flags, &flags, &numbers),
          "[positions-offsets] positions::from_cu_seqlens: cu_seqlens falls from 2 to 1 at element 3; give the sums of "
          "the lengths, which never fall, and not the lengths");
  REFUSED(axismask_ring_capacity(0, 1, 0, &slots),
          "[ring-capacity] window: it is 0; give at least 1, and no more than memory has");
  REFUSED(axismask_ring_make(&numbers, 5, 0, &ring),
          "[ring-capacity] positions::ring: a window of 5 keys is to be kept in 4 slots; give at least a slot for each "
          "key of the window, and a window of at least 1");
  CHECK(out[0] == 9 && out[3] == 9 && ring == NULL && slots == 0);
  OK(axismask_ring_make(&numbers, 4, 0, &ring));
  OK(axismask_ring_append(ring, 1));
  REFUSED(axismask_ring_append(ring, 9),
          "[ring-capacity] positions::ring: a chunk of 9 tokens and the 1 keys before it that are in its window are "
          "more than the 4 slots; give chunks of at most 1 tokens, or the slots that ring_capacity tells");
  REFUSED(axismask_ring_trim(ring, 2),
          "[ring-capacity] positions::ring: it cannot go back from 1 tokens to 2; go back to a number of tokens whose "
          "window is there, to 0, or give more slots");
  CHECK(out[0] == 0 && out[1] == -1);
  OK(axismask_ring_free(ring));
}

static void tensors(void) {
  int64_t shape[] = {4, 4};
  struct DLManagedTensorVersioned tensor;
  tensor_of_test* const its = &tensor.tensor;
  axismask_array view;
  memset(&tensor, 0, sizeof tensor);
  memset(&view, 0, sizeof view);
  tensor.major = 1;
  its->data = logits;
  its->device_type = 1;
  its->ndim = 2;
  its->code = 2;
  its->bits = 32;
  its->lanes = 1;
  its->shape = shape;
  OK(axismask_from_dlpack(&tensor, both_axes, 2, &view));
  memset(&view, 0, sizeof view);
  REFUSED(axismask_from_dlpack(NULL, both_axes, 2, &view),
          "[c-null] tensor: it is NULL; give a pointer to what is to be read");
  REFUSED(axismask_from_dltensor(NULL, both_axes, 2, &view),
          "[c-null] tensor: it is NULL; give a pointer to what is to be read");
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, NULL),
          "[c-null] view: it is NULL; give a pointer to memory that can be written");
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 1, &view),
          "[c-dlpack] tensor.ndim: it has 2 axes, and 1 are named; give a name for each axis");
  tensor.major = 2;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.version: it is of DLPack 2.0; give a tensor of DLPack 1");
  tensor.major = 1;
  its->lanes = 4;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.dtype: its elements are vectors of 4; give elements of one lane");
  its->lanes = 1;
  its->bits = 8;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.dtype: its elements have type code 2 and 8 bits; give floats of 16, 32 or 64 bits, "
          "bfloat16, integers or bool");
  its->bits = 32;
  its->device_type = 8;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.device: its device type is 8; give a tensor of the processor, CUDA or OpenCL");
  its->device_type = 4;
  its->byte_offset = 4;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.byte_offset: it is 4, and OpenCL's memory has no addresses; give a tensor that starts "
          "where its cl_mem does");
  its->byte_offset = 0;
  its->shape = NULL;
  REFUSED(axismask_from_dlpack(&tensor, both_axes, 2, &view),
          "[c-dlpack] tensor.shape: it is NULL; give a tensor with its sizes");
  CHECK(view.data == NULL && view.ndim == 0);
}

/* With an argument without no_memory: valgrind and sanitizers end a program that asks for so much. */
int main(int count, char** arguments) {
  (void)arguments;
  start();
  OK(axismask_model_parse(spec, strlen(spec), NULL, &model));
  OK(axismask_model_layer(model, "local", &local));
  handles();
  models();
  arrays();
  masks_and_plans();
  attention();
  positions_of_serving();
  tensors();
  if (count == 1) no_memory();
  OK(axismask_model_free(model));
  return end_of_checks();
}
