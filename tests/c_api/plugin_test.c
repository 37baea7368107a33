/* Plugins of layers: plugin_test PLUGIN COPY_OF_IT OTHER_VERSION */
#include <stdlib.h>

#include "check.h"

static const char own_spec[] =
    "{\"axismask\": 1, \"model\": \"own\", \"layers\": [{\"name\": \"own\", \"type\": \"ApplyOwnMask\","
    " \"masked_out_value\": \"-inf\"}]}";
static int32_t positions[4] = {0, 1, 2, 3};
static axismask_model* model = NULL;
static const axismask_layer* own = NULL;

static void masks(void) {
  uint8_t kept[16];
  const axismask_array out = array_of(kept, AXISMASK_BOOL, 2, four_by_four, both_axes);
  const axismask_input inputs[] = {{"token_positions", array_of(positions, AXISMASK_INT32, 1, four, seq_axis)}};
  int at;
  OK(axismask_write_mask(own, &out, inputs, 1, NULL));
  for (at = 0; at < 16; ++at) CHECK(kept[at] == (at % 5 == 0));
}

/* Each token takes its own value. */
static void attends(void) {
  static const char* const query_axes[] = {"seq", "projection"};
  static const char* const key_axes[] = {"kv_seq", "projection"};
  static const int64_t shape[] = {4, 2};
  float queries[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  float values[8] = {8, 7, 6, 5, 4, 3, 2, 1};
  float result[8] = {0};
  const axismask_array query = array_of(queries, AXISMASK_FLOAT32, 2, shape, query_axes);
  const axismask_array key = array_of(queries, AXISMASK_FLOAT32, 2, shape, key_axes);
  const axismask_array value = array_of(values, AXISMASK_FLOAT32, 2, shape, key_axes);
  const axismask_array out = array_of(result, AXISMASK_FLOAT32, 2, shape, query_axes);
  const axismask_attention_arrays arrays = {&query, &key, &value, &out};
  const axismask_input inputs[] = {{"token_positions", array_of(positions, AXISMASK_INT32, 1, four, seq_axis)}};
  OK(axismask_attend(own, &arrays, inputs, 1, NULL));
  CHECK(memcmp(result, values, sizeof values) == 0);
}

int main(int count, char** arguments) {
  char wanted[5000];
  if (count != 4) return 2;
  CHECK(axismask_model_parse(own_spec, strlen(own_spec), NULL, &model) == AXISMASK_REFUSED);
  CHECK(strcmp(axismask_last_error()->id, "spec-layer-type") == 0);

  REFUSED(axismask_load_layers(NULL), "[c-null] file: it is NULL; give a text that ends with 0");
  REFUSED(axismask_load_layers("no/such.so"),
          "[layers-load] no/such.so: it cannot be loaded: no/such.so: cannot open shared object file: No such file or "
          "directory; give the path of a shared library that axismask_add_layers(... PLUGIN) made for this machine");
  REFUSED(axismask_load_layers("libm.so.6"),
          "[layers-load] libm.so.6: it is a shared library, but none of layers; give one that "
          "axismask_add_layers(... PLUGIN) made");
  sprintf(wanted,
          "axismask: error[layers-version] %s: it was made with other headers of axismask than this library, or by "
          "another compiler; "
          "build it again with the headers of the version that loads it",
          arguments[3]);
  CHECK(axismask_load_layers(arguments[3]) == AXISMASK_REFUSED);
  CHECK(strcmp(axismask_last_error()->line, wanted) == 0);

  OK(axismask_load_layers(arguments[1]));
  OK(axismask_load_layers(arguments[1]));
  sprintf(wanted,
          "axismask: error[layer-ambiguous] %s: there is a layer ApplyOwnMask already; give the struct another "
          "name; leave shipped "
          "layers out of a plugin's list",
          arguments[2]);
  CHECK(axismask_load_layers(arguments[2]) == AXISMASK_REFUSED);
  CHECK(strcmp(axismask_last_error()->line, wanted) == 0);

  OK(axismask_model_parse(own_spec, strlen(own_spec), NULL, &model));
  OK(axismask_model_layer(model, "own", &own));
  masks();
  attends();
  OK(axismask_model_free(model));
  return end_of_checks();
}
