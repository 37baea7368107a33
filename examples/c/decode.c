/* An engine in C: the mask of each step of a decode loop as additive float16, as ggml's flash attention takes it, with a
 * cache of keys that wraps. A prompt of 7 tokens in chunks of 3, then one token at a time.
 *
 * ggml: the mask is a contiguous tensor ne = [n_kv, n_tokens], F16, 0 or -inf, and n_kv is padded. */
#include <axismask.h>
#include <stdio.h>
#include <stdlib.h>

enum { window = 4, longest_chunk = 3, n_kv_multiple = 8 };

static const char spec[] =
    "{\"axismask\": 1, \"model\": \"one local layer\", \"layers\": [{\"name\": \"layers.0\","
    " \"type\": \"ApplyCausalSlidingWindowAttentionMask\", \"masked_out_value\": \"-inf\", \"sliding_window_size\": 4,"
    " \"query_positions_input_name\": \"query_positions\", \"kv_positions_input_name\": \"key_positions\"}]}";

static void must(axismask_status status) {
  if (status == AXISMASK_OK) return;
  fprintf(stderr, "%s\n", axismask_last_error()->line); /* axismask: error[ID] WHERE: what is wrong; the cure */
  exit(2);
}

int main(void) {
  axismask_model* model = NULL;
  const axismask_layer* layer = NULL;
  axismask_ring* cache = NULL;
  const int64_t chunks[] = {3, 3, 1, 1, 1, 1, 1};
  const char* const query_axis[] = {"seq"};
  const char* const key_axis[] = {"kv_seq"};
  const char* const mask_axes[] = {"seq", "kv_seq"};
  int64_t slots = 0;
  size_t step;

  must(axismask_check_version(AXISMASK_VERSION));
  must(axismask_model_parse(spec, sizeof spec - 1, "decode.c", &model));
  must(axismask_model_layer(model, "layers.0", &layer));

  /* The position of each slot's key, -1 where there is none; and the mask, whose rows are as long as the engine's. */
  must(axismask_ring_capacity(window, longest_chunk, 0, &slots));
  const int64_t n_kv = (slots + n_kv_multiple - 1) / n_kv_multiple * n_kv_multiple;
  int32_t* const keys = malloc((size_t)slots * sizeof *keys);
  uint16_t* const mask = malloc((size_t)(longest_chunk * n_kv) * sizeof *mask);
  int32_t queries[longest_chunk];
  if (keys == NULL || mask == NULL) return 1;
  const axismask_array key_positions = {keys, AXISMASK_INT32, AXISMASK_HOST, 1, 0, &slots, NULL, key_axis};
  must(axismask_ring_make(&key_positions, window, 0, &cache));

  for (step = 0; step < sizeof chunks / sizeof *chunks; ++step) {
    const int64_t n_tokens = chunks[step];
    const int64_t shape[] = {n_tokens, n_kv};
    int64_t first = 0;
    must(axismask_ring_tokens(cache, &first));
    const axismask_array query_positions = {queries, AXISMASK_INT32, AXISMASK_HOST, 1, 0, &n_tokens, NULL, query_axis};
    must(axismask_positions_consecutive(first, &query_positions));
    must(axismask_ring_append(cache, n_tokens)); /* the new keys take their slots before the mask is written */

    const axismask_input inputs[] = {{"query_positions", query_positions}, {"key_positions", key_positions}};
    const axismask_array out = {mask, AXISMASK_FLOAT16, AXISMASK_HOST, 2, 0, shape, NULL, mask_axes};
    axismask_mask_options options = AXISMASK_MASK_OPTIONS;
    options.pad_keys = 1; /* what is past the slots is -inf */
    must(axismask_write_mask(layer, &out, inputs, 2, &options));

    /* Here the engine runs its attention. This shows which keys the step's last query sees. */
    const uint16_t* const row = mask + (n_tokens - 1) * n_kv;
    int64_t slot;
    printf("query %2d sees", queries[n_tokens - 1]);
    for (slot = 0; slot < n_kv; ++slot) {
      if (row[slot] == 0) printf(" %d", keys[slot]);
      else if (row[slot] != 0xFC00) return 3; /* -inf */
    }
    printf("\n");
  }
  must(axismask_ring_free(cache));
  must(axismask_model_free(model));
  free(keys);
  free(mask);
  return 0;
}
