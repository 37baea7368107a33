// What other systems call a window, brought to ours. `sliding_window_size` counts the keys that a token sees, itself
// included; each function here takes the number as one system writes it and gives that count:
//   {.sliding_window_size = window::flash(511)}      512 keys
// A bare number means the same as window::keys(number). The functions for windows to both sides give a left and a
// right, each without the token itself, for `ApplyBidirectionalWindowAttentionMask`:
//   constexpr window::sides sides = window::modernbert(128);
//   {.window_left = sides.left, .window_right = sides.right}
//
// In the formulas d is query position - key position, and division rounds down. The sources were read in November 2026:
// transformers 5.24, torch 2.15, xformers 0.0.35, jax 0.10.2, keras 3.15, keras_hub 0.32, mlx-lm 0.32.2, and
// flash-attention, llama.cpp and ONNX Runtime from their repositories. window_test.cpp compares each function with its
// formula.
//
// A number that the system does not allow is a compile error where the call is a constant expression, and otherwise an
// `error`. Where a system has a number for "no limit", the result is the largest count, which no distance between two
// tokens reaches; the causal layer says the same and needs no window.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "axismask/layer/attributes.hpp"
#include "axismask/messages/error.hpp"

namespace axismask::window {

// How many keys a token sees before and after itself.
struct sides {
  whole left;
  whole right;
};

// The count for "no limit": more than any distance between two tokens.
inline constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

namespace detail {

[[noreturn]] inline void refuse(const char* function, std::int64_t number, std::int64_t lowest) {
  throw error("window", std::string("window::") + function, "it is given " + std::to_string(number),
              "give a number of at least " + std::to_string(lowest));
}

constexpr std::int64_t at_least(const char* function, std::int64_t number, std::int64_t lowest) {
  if (number < lowest) refuse(function, number, lowest);
  return number;
}

// A system's number of keys, itself included.
constexpr count counted(const char* function, std::int64_t keys) { return at_least(function, keys, 1); }

// A system's number of keys on the left, the token itself not included.
constexpr count with_itself(const char* function, std::int64_t left) {
  return at_least(function, left, 0) == no_limit ? no_limit : left + 1;
}

constexpr whole side(const char* function, std::int64_t keys) { return at_least(function, keys, 0); }

// Where -1 is "no limit".
constexpr std::int64_t limit(const char* function, std::int64_t number) {
  return at_least(function, number, -1) == -1 ? no_limit : number;
}

}  // namespace detail

// ------------------------------------------------------------------------------------------------ Counts of keys

// Ours and penzai's: 0 <= d < W. W keys.
constexpr count keys(std::int64_t window) { return detail::counted("keys", window); }

// transformers, `sliding_window` of a causal model: kv > q - W && kv <= q. W keys (masking_utils.py). On its flash path
// it passes W - 1 for that.
constexpr count hugging_face(std::int64_t window) { return detail::counted("hugging_face", window); }

// transformers' flash path before huggingface/transformers#40163 (August 2025) passed W itself: 0 <= d <= W. W + 1
// keys. Phi-3's 2047 was chosen for it.
constexpr count hugging_face_flash_before_pr40163(std::int64_t window) {
  constexpr const char* function = "hugging_face_flash_before_pr40163";
  return detail::with_itself(function, detail::at_least(function, window, 1));
}

// GPT-Neo in transformers, `window_size`: tril xor tril(-W), which is 0 <= d < W. W keys (modeling_gpt_neo.py).
constexpr count gpt_neo(std::int64_t window) { return detail::counted("gpt_neo", window); }

// llama.cpp, `n_swa` with LLAMA_SWA_TYPE_STANDARD: masked if d >= n_swa. n_swa keys (llama-hparams.h, is_masked_swa).
constexpr count llama_cpp(std::int64_t n_swa) { return detail::counted("llama_cpp", n_swa); }

// mlx-lm, `window_size` of create_causal_mask: q >= k && q < k + W. W keys (mlx_lm/models/base.py).
constexpr count mlx(std::int64_t window) { return detail::counted("mlx", window); }

// The same before ml-explore/mlx-lm#390 (August 2025): q <= k + W. W + 1 keys.
constexpr count mlx_before_pr390(std::int64_t window) {
  return detail::with_itself("mlx_before_pr390", detail::at_least("mlx_before_pr390", window, 1));
}

// ONNX Runtime, `local_window_size` of GroupQueryAttention since microsoft/onnxruntime#25927 (September 2025): the last
// W keys, 0 <= d < W; -1 is no limit (gqa_attention_base.h).
constexpr count onnxruntime(std::int64_t local_window_size) {
  return detail::counted("onnxruntime", detail::limit("onnxruntime", local_window_size));
}

// The same attribute in a runtime from before that change: 0 <= d <= W, W + 1 keys. An exported model does not say
// which of the two it was meant for.
constexpr count onnxruntime_before_pr25927(std::int64_t local_window_size) {
  const std::int64_t left = detail::limit("onnxruntime_before_pr25927", local_window_size);
  return detail::with_itself("onnxruntime_before_pr25927", detail::at_least("onnxruntime_before_pr25927", left, 1));
}

// Keras, `sliding_window` of its attention layers with use_causal_mask: abs(d) < W and d >= 0. W keys
// (grouped_query_attention.py).
constexpr count keras(std::int64_t sliding_window) { return detail::counted("keras", sliding_window); }

// xFormers, `window_size` of LowerTriangularFromBottomRightLocalAttentionMask and its like: triu(shift - W + 1), which
// is 0 <= d < W. W keys (attn_bias.py).
constexpr count xformers_window_size(std::int64_t window_size) {
  return detail::counted("xformers_window_size", window_size);
}

// MaxText, `sliding_window_size`, in its dense path: d < W. W keys.
constexpr count maxtext_dense(std::int64_t window) { return detail::counted("maxtext_dense", window); }

// The same number in its splash path: LocalMask((W, W)) & causal. W + 1 keys (AI-Hypercomputer/maxtext#1545).
constexpr count maxtext_splash(std::int64_t window) {
  return detail::with_itself("maxtext_splash", detail::at_least("maxtext_splash", window, 1));
}

// attention-gym's FlexAttention helper, generate_sliding_window: d <= W and causal. W + 1 keys (sliding_window.py).
constexpr count attention_gym(std::int64_t window) { return detail::with_itself("attention_gym", window); }

// For the dilated window: n visible keys of which each is `dilation` before the next, as Longformer and NATTEN count,
// lie in a window of (n - 1) * dilation + 1.
constexpr count dilated(std::int64_t visible_keys, std::int64_t dilation) {
  const std::int64_t gaps = detail::at_least("dilated", visible_keys, 1) - 1;
  std::int64_t length = 0;
  return __builtin_mul_overflow(gaps, detail::at_least("dilated", dilation, 1), &length)
             ? count(no_limit)
             : detail::with_itself("dilated", length);
}

// -------------------------------------------------------------------------- Keys to the left, and to both sides
// With one number: causal (the right is 0). With two: the window to both sides.

// flash-attention, `window_size` (left, right): row + seqlen_k - seqlen_q - left <= col <= row + seqlen_k - seqlen_q +
// right, so -right <= d <= left at the positions of its bottom-right alignment; -1 is no limit. left + 1 keys if causal
// (csrc/flash_attn/src/mask.h). With causal=True it takes the right for 0: use the one with one number.
constexpr count flash(std::int64_t left) { return detail::with_itself("flash", detail::limit("flash", left)); }
constexpr sides flash(std::int64_t left, std::int64_t right) {
  return {detail::side("flash", detail::limit("flash", left)), detail::side("flash", detail::limit("flash", right))};
}

// torch.nn.attention.varlen, `window_size` (left, right): passed to flash-attention as it is. Its documentation calls
// (W, 0) a window "of size W"; it has W + 1 keys (varlen.py).
constexpr count torch_varlen(std::int64_t left) {
  return detail::with_itself("torch_varlen", detail::limit("torch_varlen", left));
}
constexpr sides torch_varlen(std::int64_t left, std::int64_t right) {
  return {detail::side("torch_varlen", detail::limit("torch_varlen", left)),
          detail::side("torch_varlen", detail::limit("torch_varlen", right))};
}

// xFormers, `window_left` and `window_right`: -right <= d <= left. left + right + 1 keys; its documentation says
// "window_left + window_right - 1" (attn_bias.py).
constexpr count xformers(std::int64_t window_left) { return detail::with_itself("xformers", window_left); }
constexpr sides xformers(std::int64_t window_left, std::int64_t window_right) {
  return {detail::side("xformers", window_left), detail::side("xformers", window_right)};
}

// JAX splash, LocalMask's `window_size` (left, right): d <= left && -d <= right (splash_attention_mask.py). For its
// None, no limit, there is no number: leave the window out.
constexpr count splash(std::int64_t left) { return detail::with_itself("splash", left); }
constexpr sides splash(std::int64_t left, std::int64_t right) {
  return {detail::side("splash", left), detail::side("splash", right)};
}

// jax.nn.dot_product_attention, `local_window_size` (left, right): -right <= d <= left. One number W there means (W,
// W); so with is_causal it is the one with one number, W + 1 keys, and without it jax_nn(W, W), 2 * W + 1 keys.
constexpr count jax_nn(std::int64_t left) { return detail::with_itself("jax_nn", left); }
constexpr sides jax_nn(std::int64_t left, std::int64_t right) {
  return {detail::side("jax_nn", left), detail::side("jax_nn", right)};
}

// ----------------------------------------------------------------------------- One number for both sides together

// h keys to each side: abs(d) <= h. 2 * h + 1 keys.
constexpr sides half(std::int64_t keys) { return {detail::side("half", keys), detail::side("half", keys)}; }

// transformers, `sliding_window` of a model with is_causal false: abs(d) <= W. 2 * W + 1 keys (masking_utils.py).
constexpr sides hugging_face_bidirectional(std::int64_t window) {
  return half(detail::at_least("hugging_face_bidirectional", window, 1));
}

// ModernBERT in transformers, `local_attention`: abs(d) <= W / 2. 129 keys for 128.
constexpr sides modernbert(std::int64_t local_attention) {
  return half(detail::at_least("modernbert", local_attention, 1) / 2);
}

// Gemma 3 in transformers with use_bidirectional_attention (EmbeddingGemma), `sliding_window` as config.json has it:
// the class makes it W / 2 + 1, and then abs(d) < that. 513 keys for 512 (configuration_gemma3.py).
constexpr sides hugging_face_gemma3_bidirectional(std::int64_t window) {
  return half(detail::at_least("hugging_face_gemma3_bidirectional", window, 1) / 2);
}

// T5Gemma 2 in transformers: 0 <= d < (W + 1) / 2 or 0 < -d < W / 2 + 1. 255 keys back and 256 ahead for 512
// (modeling_t5gemma2.py).
constexpr sides hugging_face_t5gemma2_bidirectional(std::int64_t window) {
  detail::at_least("hugging_face_t5gemma2_bidirectional", window, 1);
  return {window - window / 2 - 1, window / 2};
}

// Gemma 3 in keras_hub with bidirectional attention: W - W / 2 - 1 back and W / 2 ahead. One key less than transformers
// has for the same model (gemma3_attention.py).
constexpr sides keras_hub_gemma3_bidirectional(std::int64_t window) {
  detail::at_least("keras_hub_gemma3_bidirectional", window, 1);
  return {window - window / 2 - 1, window / 2};
}

// Keras, `sliding_window` of its attention layers without a causal mask: abs(d) < W. 2 * W - 1 keys.
constexpr sides keras_bidirectional(std::int64_t sliding_window) {
  return half(detail::at_least("keras_bidirectional", sliding_window, 1) - 1);
}

// llama.cpp, `n_swa` with LLAMA_SWA_TYPE_SYMMETRIC: masked if abs(d) > n_swa / 2. 513 keys for 512 (llama-hparams.h).
constexpr sides llama_cpp_symmetric(std::int64_t n_swa) {
  return half(detail::at_least("llama_cpp_symmetric", n_swa, 1) / 2);
}

}  // namespace axismask::window
