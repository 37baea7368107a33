// What the pages' C++ takes for granted: the arrays, the layer and the model that their sentences speak of. <error.h>
// comes first and declares a function `error`: a page that writes axismask::error without its namespace does not
// compile.
#pragma once

#include <error.h>

#include <array>
#include <axismask/layers.hpp>
#include <axismask/model.hpp>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <vector>

using namespace axismask;

extern float* pointer;
extern float* device_pointer;
extern void* stream;
extern int* token_positions;
extern bool* mask_memory;
extern void* half_memory;

extern const named_view<float, axes<"heads", "seq", "kv_seq">> logits;
extern const named_view<float, axes<"heads", "seq", "kv_seq">> result;
extern const named_view<int, axes<"seq">> positions_of_tokens;
extern const ApplyCausalSlidingWindowAttentionMask<> local;

// A model's arrays have their names at run time.
extern const Model model;
extern const any_view x;
extern const any_view out;
extern const std::array<side_input, 1> inputs;
