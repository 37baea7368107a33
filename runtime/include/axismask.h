/* axismask in C: the layers of a model spec, their masks and plans, for engines in C and in whatever calls C. C99, and
 * C++. docs/c.md has an example and the rules of ownership, threads and errors.
 *
 * Every function gives a status; none ends the program, and no exception leaves one. Where the status is not
 * AXISMASK_OK, axismask_last_error() says what was wrong, nothing is written but for that, and a handle that was to be
 * made is NULL. Functions may be called by several threads at once; a handle is freed, and a ring changed, by one
 * thread while no other uses it. Pointers may be NULL only where it is said. Texts are UTF-8 and end with 0. */
#ifndef AXISMASK_H
#define AXISMASK_H

#include <stddef.h>
#include <stdint.h>

#define AXISMASK_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------ Versions, errors */

#define AXISMASK_VERSION_MAJOR 0
#define AXISMASK_VERSION_MINOR 1
#define AXISMASK_VERSION_PATCH 0
#define AXISMASK_VERSION (AXISMASK_VERSION_MAJOR * 10000 + AXISMASK_VERSION_MINOR * 100 + AXISMASK_VERSION_PATCH)

typedef enum axismask_status {
  AXISMASK_OK = 0,
  AXISMASK_REFUSED = 1,   /* something given is wrong; the error's ID says what */
  AXISMASK_NO_MEMORY = 2, /* there is not enough memory; the ID is "memory" */
  AXISMASK_INTERNAL = 3   /* a mistake in axismask; the ID is "internal" */
} axismask_status;

/* The parts of `axismask: error[ID] WHERE: what is wrong; the cure`. IDs are stable: docs/messages.md. */
typedef struct axismask_error {
  const char* id;
  const char* where; /* an argument, "logits.axes[1]", or a JSON pointer, or a file */
  const char* what;
  const char* cure;
  const char* line; /* all of it */
} axismask_error;

/* The error of the last call of this thread that failed; texts are empty when none has. Valid until the thread's next
 * call that fails. */
AXISMASK_API const axismask_error* axismask_last_error(void);

/* The library's version, as AXISMASK_VERSION has the header's. */
AXISMASK_API int32_t axismask_version(void);
/* Refuses (c-version) a header that this library does not serve: `axismask_check_version(AXISMASK_VERSION)`. */
AXISMASK_API axismask_status axismask_check_version(int32_t header_version);

/* --------------------------------------------------------------------------------------------------------- Arrays */

enum { AXISMASK_MAX_AXES = 16, AXISMASK_MAX_INPUTS = 32 };

typedef enum axismask_dtype { /* 0 is none */
                              AXISMASK_FLOAT16 = 1,
                              AXISMASK_BFLOAT16 = 2,
                              AXISMASK_FLOAT32 = 3,
                              AXISMASK_FLOAT64 = 4,
                              AXISMASK_INT32 = 5,
                              AXISMASK_INT64 = 6,
                              AXISMASK_BOOL = 7, /* a byte, 0 or 1 */
                              AXISMASK_INT8 = 8, /* these three: of forms, and for the inputs of positions */
                              AXISMASK_INT16 = 9,
                              AXISMASK_UINT8 = 10
} axismask_dtype;

typedef enum axismask_device {
  AXISMASK_HOST = 0,
  AXISMASK_CUDA = 1,  /* `data` is the CUdeviceptr of the first element */
  AXISMASK_OPENCL = 2 /* `data` is a cl_mem, at whose start the array starts */
} axismask_device;

/* An array in memory of the caller. Axes are outermost first. */
typedef struct axismask_array {
  void* data;              /* its first element */
  int32_t dtype;           /* an axismask_dtype */
  int32_t device;          /* an axismask_device */
  int32_t ndim;            /* 0 to AXISMASK_MAX_AXES; 0 is one element */
  int32_t read_only;       /* 1: a call that would write to it is refused */
  const int64_t* shape;    /* of each axis its size */
  const int64_t* strides;  /* in elements, 0 and negative ones too; NULL: C order, the last axis contiguous */
  const char* const* axes; /* of each axis its name, at most 255 bytes; positions and forms need none: NULL */
} axismask_array;

/* A side input of a layer: "token_positions". */
typedef struct axismask_input {
  const char* name;
  axismask_array array;
} axismask_input;

/* DLPack 1.x, <dlpack/dlpack.h>, which is needed only by who looks into these tensors. */
struct DLManagedTensorVersioned;

/* Views a tensor; `axes` are names for its axes, `axis_count` must be their number. The view points into the tensor and
 * has no claim on it. Devices: kDLCPU, kDLCUDA, kDLCUDAHost, kDLCUDAManaged, kDLOpenCL. Refused: c-dlpack. */
AXISMASK_API axismask_status axismask_from_dlpack(const struct DLManagedTensorVersioned* tensor,
                                                  const char* const* axes, size_t axis_count, axismask_array* view);
/* The same of a `const DLTensor*`, the part that DLPack's versions have in common. */
AXISMASK_API axismask_status axismask_from_dltensor(const void* tensor, const char* const* axes, size_t axis_count,
                                                    axismask_array* view);

/* Named arrays that the library owns: those of a form, or memory that was asked for. */
typedef struct axismask_arrays axismask_arrays;

/* Makes one array of zeros, of C order, in the host's memory at a multiple of 64 bytes, for masks and positions that
 * are to be handed on. `axes` may be NULL. */
AXISMASK_API axismask_status axismask_arrays_new(const char* name, int32_t dtype, int32_t ndim, const int64_t* shape,
                                                 const char* const* axes, axismask_arrays** arrays);
AXISMASK_API axismask_status axismask_arrays_count(const axismask_arrays* arrays, size_t* count);
/* The array at an index, and its name; each may be NULL. Views of arrays of forms are read only. Valid until free. */
AXISMASK_API axismask_status axismask_arrays_at(const axismask_arrays* arrays, size_t index, const char** name,
                                                axismask_array* view);
/* The array of that name. Refused: form-array. */
AXISMASK_API axismask_status axismask_arrays_get(const axismask_arrays* arrays, const char* name, axismask_array* view);
/* Copies it, in C order, to memory of exactly `bytes`. Refused: c-size. */
AXISMASK_API axismask_status axismask_arrays_copy(const axismask_arrays* arrays, const char* name, void* memory,
                                                  size_t bytes);
/* Gives it as a tensor, which the caller hands on or ends by its deleter; its memory outlives the handle. Those of
 * forms have the flag of read-only ones. */
AXISMASK_API axismask_status axismask_arrays_to_dlpack(const axismask_arrays* arrays, const char* name,
                                                       struct DLManagedTensorVersioned** tensor);
/* NULL is fine here and in every other free. */
AXISMASK_API axismask_status axismask_arrays_free(axismask_arrays* arrays);

/* ----------------------------------------------------------------------------------------------- Models and layers */

/* Loads a shared library of layers of one's own (axismask_add_layers(... PLUGIN), docs/masks.md): specs know their
 * types from then on, until the program ends. Loading it again does nothing. Refused, and nothing is loaded:
 * layers-load, layers-version, layer-ambiguous. */
AXISMASK_API axismask_status axismask_load_layers(const char* file);

typedef struct axismask_model axismask_model;
typedef struct axismask_layer axismask_layer; /* of a model, and there as long as the model; never freed by itself */

AXISMASK_API axismask_status axismask_model_load(const char* file, axismask_model** model);
/* Reads the text of a spec, `bytes` long. `source` stands for the file in messages; NULL: "spec". */
AXISMASK_API axismask_status axismask_model_parse(const char* text, size_t bytes, const char* source,
                                                  axismask_model** model);
AXISMASK_API axismask_status axismask_model_free(axismask_model* model);
/* Writes the model's spec and a 0 to `text`, of `capacity` bytes; `bytes` is how many it takes with the 0. With a
 * capacity of 0, `text` may be NULL and only `bytes` is written; one that is too small is refused: c-size. */
AXISMASK_API axismask_status axismask_model_json(const axismask_model* model, char* text, size_t capacity,
                                                 size_t* bytes);

AXISMASK_API axismask_status axismask_model_layer_count(const axismask_model* model, size_t* count);
AXISMASK_API axismask_status axismask_model_layer_at(const axismask_model* model, size_t index,
                                                     const axismask_layer** layer);
/* Refused: spec-layer-name, with the nearest. */
AXISMASK_API axismask_status axismask_model_layer(const axismask_model* model, const char* name,
                                                  const axismask_layer** layer);

typedef struct axismask_layer_info { /* texts are there as long as the model */
  const char* name;
  const char* type;
  const char* formula; /* "q >= k && q - k < 512 && k >= 0" */
  const char* place;   /* a JSON pointer into the spec */
} axismask_layer_info;
AXISMASK_API axismask_status axismask_layer_describe(const axismask_layer* layer, axismask_layer_info* info);

/* A Hugging Face model's config.json, and what the masks of its layers are by transformers' rules. */
typedef struct axismask_config axismask_config;
enum {                          /* flags, to be added */
       AXISMASK_TAKE_GUESS = 1, /* take a map that is a guess; else: config-guess */
       AXISMASK_STRICT = 2,     /* refuse a file of which there is a warning */
       AXISMASK_IMAGES = 4      /* masks for images too */
};
AXISMASK_API axismask_status axismask_config_load(const char* file, axismask_config** config);
AXISMASK_API axismask_status axismask_config_parse(const char* text, size_t bytes, const char* source,
                                                   axismask_config** config);
AXISMASK_API axismask_status axismask_config_warning_count(const axismask_config* config, size_t* count);
/* A warning: `axismask: warning[ID] WHERE: what`. There as long as the config. */
AXISMASK_API axismask_status axismask_config_warning(const axismask_config* config, size_t index, const char** line);
AXISMASK_API axismask_status axismask_config_model(const axismask_config* config, uint32_t flags,
                                                   axismask_model** model);
AXISMASK_API axismask_status axismask_config_free(axismask_config* config);

/* ---------------------------------------------------------------------------------------------------------- Calls */

typedef struct axismask_plan axismask_plan;

/* NULL in the place of options: all of them as they are in AXISMASK_CALL_OPTIONS. */
typedef struct axismask_call_options {
  size_t struct_size;        /* sizeof(axismask_call_options); another is refused: c-struct */
  const axismask_plan* plan; /* made for the same layer and side inputs; NULL: the call makes one */
  int32_t threads;           /* at most so many work at once, the caller's included; 0: one for each processor */
  /* The caller's own threads: runs task(context, i) for each i from 0 to count - 1, in any order, on any threads, and
   * returns when all are done. NULL: the library's. */
  void (*run_tasks)(void* pool, int count, void (*task)(void* context, int index), void* context);
  void* pool;
  const char* device; /* "cpu", "cuda", "opencl", "auto"; NULL: that of the arrays */
  void* context;      /* CUDA: the CUcontext; NULL: the current one */
  void* stream;       /* CUDA: the CUstream; NULL: the default one. With it the call returns when the work is queued */
} axismask_call_options;
#define AXISMASK_CALL_OPTIONS {sizeof(axismask_call_options), NULL, 0, NULL, NULL, NULL, NULL, NULL}

/* Writes to `out` the logits where the layer keeps them and its masked value elsewhere. `out` has the logits' axes, in
 * any order, sizes and dtype, and does not overlap them. `inputs` may be NULL when there are none. */
AXISMASK_API axismask_status axismask_layer_apply(const axismask_layer* layer, const axismask_array* logits,
                                                  const axismask_array* out, const axismask_input* inputs,
                                                  size_t input_count, const axismask_call_options* options);
AXISMASK_API axismask_status axismask_layer_apply_in_place(const axismask_layer* layer, const axismask_array* logits,
                                                           const axismask_input* inputs, size_t input_count,
                                                           const axismask_call_options* options);
/* Gives back the device memory that this thread's calls keep, before a CUcontext or CUstream of theirs is destroyed. */
AXISMASK_API axismask_status axismask_release_device_memory(void);

typedef enum axismask_masked { /* what an additive mask has where logits are masked */
                               AXISMASK_MINUS_INFINITY = 0,
                               AXISMASK_LOWEST = 1, /* the dtype's lowest finite number */
                               AXISMASK_NUMBER = 2  /* `number` */
} axismask_masked;

typedef struct axismask_mask_options {
  size_t struct_size; /* sizeof(axismask_mask_options) */
  const axismask_call_options* call;
  int32_t masked;   /* an axismask_masked */
  int32_t pad_keys; /* 1: the key axis may be longer than the keys; what is past them is masked */
  double number;
} axismask_mask_options;
#define AXISMASK_MASK_OPTIONS {sizeof(axismask_mask_options), NULL, AXISMASK_MINUS_INFINITY, 0, 0.0}

/* Writes the mask itself: to bool 1 where a logit is kept, to floats 0 there and the masked number elsewhere. `out` has
 * the axes that logits have, in any order and of any strides. */
AXISMASK_API axismask_status axismask_write_mask(const axismask_layer* layer, const axismask_array* out,
                                                 const axismask_input* inputs, size_t input_count,
                                                 const axismask_mask_options* options);

typedef enum axismask_bit_layout {
  AXISMASK_BITS_PADDED_ROWS = 0, /* C order; each row along the last axis starts with a byte */
  AXISMASK_BITS_PACKED = 1,      /* C order without a gap */
  AXISMASK_BITS_STRIDED = 2      /* by `strides` */
} axismask_bit_layout;

typedef struct axismask_bits { /* a mask as bits, 1 where a logit is kept */
  void* data;
  size_t bytes;       /* how many there are at `data`; too few are refused: c-size */
  int32_t layout;     /* an axismask_bit_layout */
  int32_t big_endian; /* 1: the first bit of a byte is 128, as in NumPy's packbits; 0: it is 1 */
  int32_t ndim;
  const int64_t* shape;   /* in bits */
  const int64_t* strides; /* in bits, not negative; NULL unless AXISMASK_BITS_STRIDED */
  const char* const* axes;
} axismask_bits;
AXISMASK_API axismask_status axismask_write_mask_bits(const axismask_layer* layer, const axismask_bits* out,
                                                      const axismask_input* inputs, size_t input_count,
                                                      const axismask_mask_options* options);

/* ------------------------------------------------------------------------------------------------------- Attention */

typedef struct axismask_attention_arrays {
  const axismask_array* queries; /* the mask's axes but its key axis, any others, and the projection */
  const axismask_array* keys;    /* the mask's key axis, the projection, and any of the queries' other axes */
  const axismask_array* values;  /* the same, with a projection of any size */
  const axismask_array* out;     /* the queries' axes, with the values' projection */
} axismask_attention_arrays;

typedef struct axismask_attention_options {
  size_t struct_size;                /* sizeof(axismask_attention_options) */
  const axismask_call_options* call; /* a plan is checked; tiles are attention's own */
  const char* projection;            /* the name of that axis; NULL: "projection" */
  double scale;                      /* what scores are multiplied by; 0: the spec's, or 1 / sqrt(projection) */
  double softcap;                    /* s becomes softcap * tanh(s / softcap); 0: the spec's, or none */
  const axismask_array* sinks;       /* float32, over axes of the queries; NULL: the spec's, or none */
  const axismask_array* log_sum_exp; /* float32, the queries' axes without the projection, is written; or NULL */
} axismask_attention_options;
#define AXISMASK_ATTENTION_OPTIONS {sizeof(axismask_attention_options), NULL, NULL, 0.0, 0.0, NULL, NULL}

/* Writes softmax(mask(scale * queries . keys)) . values to `out`, of float32, float16 or bfloat16 in the host's memory,
 * computed in float32; tiles that the mask hides are skipped. docs/attention.md, axismask/attention.hpp. */
AXISMASK_API axismask_status axismask_attend(const axismask_layer* layer, const axismask_attention_arrays* arrays,
                                             const axismask_input* inputs, size_t input_count,
                                             const axismask_attention_options* options);

/* ---------------------------------------------------------------------------------------------------------- Plans */

typedef enum axismask_verdict { AXISMASK_NONE = 0, AXISMASK_SOME = 1, AXISMASK_ALL = 2 } axismask_verdict;

/* Tells of each tile of the logits whether none, some or all of it is kept: "none" and "all" are proofs. */
AXISMASK_API axismask_status axismask_plan_make(const axismask_layer* layer, int64_t tile_queries, int64_t tile_keys,
                                                const axismask_input* inputs, size_t input_count, axismask_plan** plan);
/* The same with "some" a fact, too. */
AXISMASK_API axismask_status axismask_plan_make_exact(const axismask_layer* layer, int64_t tile_queries,
                                                      int64_t tile_keys, const axismask_input* inputs,
                                                      size_t input_count, axismask_plan** plan);
AXISMASK_API axismask_status axismask_plan_free(axismask_plan* plan);

typedef struct axismask_plan_info { /* pointers are there as long as the plan */
  int64_t tile_queries, tile_keys;  /* made no larger than the axes */
  int64_t queries, keys;
  int64_t planes;          /* indices of those further axes along which the mask changes, in C order */
  int64_t rows, columns;   /* tiles of a plane */
  int64_t none, some, all; /* how many tiles of each verdict */
  const char* query_axis;
  const char* kv_axis;
  size_t plane_axis_count;
  const char* const* plane_axes;
  const int64_t* plane_sizes;
} axismask_plan_info;
AXISMASK_API axismask_status axismask_plan_describe(const axismask_plan* plan, axismask_plan_info* info);
/* The verdict on one tile, an axismask_verdict. Refused: plan-index. */
AXISMASK_API axismask_status axismask_plan_at(const axismask_plan* plan, int64_t plane, int64_t row, int64_t column,
                                              int32_t* verdict);
/* The verdicts on all tiles: a byte for each of planes * rows * columns tiles, in C order. Refused: c-size. */
AXISMASK_API axismask_status axismask_plan_verdicts(const axismask_plan* plan, uint8_t* verdicts, size_t bytes);
/* The tiles of one verdict: row r has tiles[starts[r]] to tiles[starts[r + 1] - 1]. Arrays: starts int64, tiles int32.
 */
AXISMASK_API axismask_status axismask_plan_list(const axismask_plan* plan, int32_t verdict, axismask_arrays** arrays);

/* For each query the keys that it sees, as half-open ranges of indices: row r, plane after plane, has the ranges from
 * begins[i] to before ends[i] for i from starts[r] to starts[r + 1] - 1. Arrays, int64: starts, begins, ends, and
 * shape: the sizes of the planes' axes, the queries, the keys. */
AXISMASK_API axismask_status axismask_spans(const axismask_layer* layer, const axismask_input* inputs,
                                            size_t input_count, const axismask_call_options* options,
                                            axismask_arrays** arrays);

/* The forms in which other systems take a mask: docs/forms.md. */
typedef struct axismask_form_info {
  const char* name; /* "flex" */
  const char* target;
  int32_t has_tiles; /* 1: the size of tiles matters */
  int32_t has_pages; /* 1: it needs a table of pages */
} axismask_form_info;
AXISMASK_API axismask_status axismask_form_count(size_t* count);
AXISMASK_API axismask_status axismask_form_describe(size_t index, axismask_form_info* info);

typedef struct axismask_form_options {
  size_t struct_size; /* sizeof(axismask_form_options) */
  const axismask_call_options* call;
  int64_t tile_queries, tile_keys;
  const char* batch_axis; /* the names of the axes that are the target's; NULL: "batch", "heads" */
  const char* heads_axis;
  const axismask_array* pages; /* int32 or int64, sequences by pages, -1 where there is none; or NULL */
  int64_t page_count;          /* pages of the cache; 0: as many as the highest number in the table says */
} axismask_form_options;
#define AXISMASK_FORM_OPTIONS {sizeof(axismask_form_options), NULL, 128, 128, NULL, NULL, NULL, 0}

AXISMASK_API axismask_status axismask_write_form(const axismask_layer* layer, const char* form,
                                                 const axismask_input* inputs, size_t input_count,
                                                 const axismask_form_options* options, axismask_arrays** arrays);

/* ------------------------------------------------------------------------------------------------------ Positions */

/* These write int32 or int64 positions to an array of the host in C order, -1 where there is no token; names of axes
 * are not looked at. axismask/positions.hpp says more of each. */
AXISMASK_API axismask_status axismask_positions_consecutive(int64_t first, const axismask_array* out);
AXISMASK_API axismask_status axismask_positions_left_padded(const int64_t* lengths, size_t count, int64_t width,
                                                            const axismask_array* out);
AXISMASK_API axismask_status axismask_positions_right_padded(const int64_t* lengths, size_t count, int64_t width,
                                                             const axismask_array* out);
AXISMASK_API axismask_status axismask_positions_packed(const int64_t* lengths, size_t count,
                                                       const axismask_array* documents, const axismask_array* out);
/* Masks, ids and cu_seqlens are whole numbers of any dtype here, in C order. */
AXISMASK_API axismask_status axismask_positions_from_attention_mask(const axismask_array* mask, int64_t width,
                                                                    const axismask_array* out);
AXISMASK_API axismask_status axismask_positions_from_position_ids(const axismask_array* ids, const axismask_array* mask,
                                                                  const axismask_array* out);
AXISMASK_API axismask_status axismask_positions_from_cu_seqlens(const axismask_array* cu_seqlens,
                                                                const axismask_array* documents,
                                                                const axismask_array* out);

/* The positions of the keys in a cache that wraps, in memory of the caller, one for each slot, which must be there
 * until the ring is freed. The first `sinks` tokens keep their slots. */
typedef struct axismask_ring axismask_ring;
AXISMASK_API axismask_status axismask_ring_capacity(int64_t window, int64_t longest_chunk, int64_t sinks,
                                                    int64_t* slots);
AXISMASK_API axismask_status axismask_ring_make(const axismask_array* slots, int64_t window, int64_t sinks,
                                                axismask_ring** ring);
AXISMASK_API axismask_status axismask_ring_tokens(const axismask_ring* ring, int64_t* tokens);
/* To be called for each chunk before its logits are masked. Refused, and nothing changed: ring-capacity. */
AXISMASK_API axismask_status axismask_ring_append(axismask_ring* ring, int64_t count);
AXISMASK_API axismask_status axismask_ring_trim(axismask_ring* ring, int64_t tokens);
AXISMASK_API axismask_status axismask_ring_free(axismask_ring* ring);

#ifdef __cplusplus
}
#endif
#endif
