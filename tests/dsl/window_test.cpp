// The converters of window.hpp against the systems that they name: for each number, the keys that the converted window
// keeps are those that the system's own formula keeps, for every query and key of a short sequence.
#include "axismask/window.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "axismask/bidirectional_window.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/dilated_window.hpp"

namespace axismask {
namespace {

constexpr std::int64_t length = 24;
constexpr std::int64_t longest = 30;  // windows beyond the sequence too
constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

using causal_window = ApplyCausalSlidingWindowAttentionMask<>;
using two_sided_window = ApplyBidirectionalWindowAttentionMask<>;

bool keeps_window(std::int64_t q, std::int64_t k, count window) { return keeps<causal_window>(q, k, window.value); }
bool keeps_window(std::int64_t q, std::int64_t k, window::sides sides) {
  return keeps<two_sided_window>(q, k, sides.left.value, sides.right.value);
}

// `formula(q, k, number)` is the system's.
template <class Convert, class Formula>
void expect_same_keys(Convert convert, Formula formula, std::int64_t lowest = 1) {
  for (std::int64_t number = lowest; number <= longest; ++number) {
    for (std::int64_t q = 0; q < length; ++q) {
      for (std::int64_t k = 0; k < length; ++k) {
        ASSERT_EQ(keeps_window(q, k, convert(number)), formula(q, k, number))
            << "number " << number << ", query " << q << ", key " << k;
      }
    }
  }
}

// `formula(q, k, left, right)` is the system's.
template <class Convert, class Formula>
void expect_same_keys_of_sides(Convert convert, Formula formula) {
  for (std::int64_t left = 0; left <= longest; left += 1 + left / 8) {
    for (std::int64_t right = 0; right <= longest; right += 1 + right / 8) {
      for (std::int64_t q = 0; q < length; ++q) {
        for (std::int64_t k = 0; k < length; ++k) {
          ASSERT_EQ(keeps_window(q, k, convert(left, right)), formula(q, k, left, right))
              << "left " << left << ", right " << right << ", query " << q << ", key " << k;
        }
      }
    }
  }
}

using number = std::int64_t;

TEST(Window, ABareNumberIsKeys) {
  constexpr causal_window bare{.masked_out_value = 0, .sliding_window_size = 512};
  constexpr causal_window named{.masked_out_value = 0, .sliding_window_size = window::keys(512)};
  static_assert(bare.sliding_window_size.value == named.sliding_window_size.value);
  // penzai/nn/attention.py
  expect_same_keys([](number w) { return window::keys(w); },
                   [](number q, number k, number w) { return q >= k && q - k < w && k >= 0; });
}

TEST(Window, HuggingFace) {
  // masking_utils.py: sliding_window_overlay and causal_mask_function
  expect_same_keys([](number w) { return window::hugging_face(w); },
                   [](number q, number k, number w) { return k > q - w && k <= q; });
  // modeling_flash_attention_utils.py before the change: window_size = (W, W), causal
  expect_same_keys([](number w) { return window::hugging_face_flash_before_pr40163(w); },
                   [](number q, number k, number w) { return q - w <= k && k <= q; });
  // and after: (W - 1, W - 1), causal
  expect_same_keys([](number w) { return window::flash(w - 1); },
                   [](number q, number k, number w) { return k > q - w && k <= q; });
  // masking_utils.py: sliding_window_bidirectional_overlay
  expect_same_keys([](number w) { return window::hugging_face_bidirectional(w); },
                   [](number q, number k, number w) { return std::abs(q - k) <= w; });
}

TEST(Window, ModelsOfHuggingFace) {
  // tril xor tril(-W): on or under the diagonal, and not on or under the W-th under it
  expect_same_keys([](number w) { return window::gpt_neo(w); },
                   [](number q, number k, number w) { return (k <= q) != (k <= q - w); });
  expect_same_keys([](number w) { return window::modernbert(w); },
                   [](number q, number k, number w) { return std::abs(q - k) <= w / 2; });
  expect_same_keys([](number w) { return window::hugging_face_gemma3_bidirectional(w); },
                   [](number q, number k, number w) { return std::abs(q - k) < w / 2 + 1; });
  expect_same_keys([](number w) { return window::hugging_face_t5gemma2_bidirectional(w); },
                   [](number q, number k, number w) {
                     const number d = q - k;
                     return (0 <= d && d < (w + 1) / 2) || (d < 0 && -d < w / 2 + 1);
                   });
}

TEST(Window, Keras) {
  expect_same_keys([](number w) { return window::keras(w); },
                   [](number q, number k, number w) { return std::abs(q - k) < w && q >= k; });
  expect_same_keys([](number w) { return window::keras_bidirectional(w); },
                   [](number q, number k, number w) { return std::abs(q - k) < w; });
  expect_same_keys([](number w) { return window::keras_hub_gemma3_bidirectional(w); },
                   [](number q, number k, number w) { return q - (w - w / 2 - 1) <= k && k <= q + w / 2; });
}

TEST(Window, LlamaCpp) {
  // is_masked_swa(n_swa, type, p0, p1), p0 the key's and p1 the query's; the causal part is the caller's
  expect_same_keys([](number n) { return window::llama_cpp(n); },
                   [](number p1, number p0, number n) { return p0 <= p1 && !(p1 - p0 >= n); });
  expect_same_keys([](number n) { return window::llama_cpp_symmetric(n); },
                   [](number p1, number p0, number n) {
                     const number half = n / 2;
                     return !(p1 - p0 < -half || p1 - p0 > half);
                   });
}

TEST(Window, Mlx) {
  // create_causal_mask: linds >= rinds, linds < rinds + window_size
  expect_same_keys([](number w) { return window::mlx(w); },
                   [](number q, number k, number w) { return q >= k && q < k + w; });
  expect_same_keys([](number w) { return window::mlx_before_pr390(w); },
                   [](number q, number k, number w) { return q >= k && q <= k + w; });
}

TEST(Window, OnnxRuntime) {
  // A row of total = q + 1 keys, of which the first total - W (before: total - W - 1) are masked.
  expect_same_keys([](number w) { return window::onnxruntime(w); },
                   [](number q, number k, number w) { return k < q + 1 && k >= q + 1 - w; });
  expect_same_keys([](number w) { return window::onnxruntime_before_pr25927(w); },
                   [](number q, number k, number w) { return k < q + 1 && k >= q + 1 - w - 1; });
}

TEST(Window, MaxText) {
  expect_same_keys([](number w) { return window::maxtext_dense(w); },
                   [](number q, number k, number w) { return k <= q && q - k < w; });
  expect_same_keys([](number w) { return window::maxtext_splash(w); },
                   [](number q, number k, number w) { return k <= q && q - k <= w && k - q <= w; });
}

TEST(Window, AttentionGym) {
  expect_same_keys([](number w) { return window::attention_gym(w); },
                   [](number q, number k, number w) { return q - k <= w && q >= k; }, 0);
}

TEST(Window, Flash) {
  // apply_mask_local with as many queries as keys
  const auto formula = [](number row, number col, number left, number right) {
    return !(col > row + right || col < row - left);
  };
  const auto causal = [&](number row, number col, number left) { return formula(row, col, left, 0); };
  expect_same_keys([](number left) { return window::flash(left); }, causal, 0);
  expect_same_keys([](number left) { return window::torch_varlen(left); }, causal, 0);
  expect_same_keys_of_sides([](number left, number right) { return window::flash(left, right); }, formula);
  expect_same_keys_of_sides([](number left, number right) { return window::torch_varlen(left, right); }, formula);
}

TEST(Window, XFormers) {
  const auto formula = [](number q, number k, number left, number right) { return -right <= q - k && q - k <= left; };
  expect_same_keys([](number left) { return window::xformers(left); },
                   [&](number q, number k, number left) { return formula(q, k, left, 0); }, 0);
  expect_same_keys_of_sides([](number left, number right) { return window::xformers(left, right); }, formula);
  // triu(shift - W + 1) of a lower triangle
  expect_same_keys([](number w) { return window::xformers_window_size(w); },
                   [](number q, number k, number w) { return k <= q && k >= q - w + 1; });
}

TEST(Window, Jax) {
  // LocalMask, and jax.nn's _apply_masks
  const auto formula = [](number q, number k, number left, number right) { return q - left <= k && q + right >= k; };
  const auto causal = [&](number q, number k, number left) { return q >= k && formula(q, k, left, left); };
  expect_same_keys([](number left) { return window::splash(left); }, causal, 0);
  expect_same_keys([](number left) { return window::jax_nn(left); }, causal, 0);
  expect_same_keys_of_sides([](number left, number right) { return window::splash(left, right); }, formula);
  expect_same_keys_of_sides([](number left, number right) { return window::jax_nn(left, right); }, formula);
}

TEST(Window, Half) {
  expect_same_keys([](number h) { return window::half(h); },
                   [](number q, number k, number h) { return std::abs(q - k) <= h; }, 0);
}

TEST(Window, Dilated) {
  using layer = ApplyDilatedWindowAttentionMask<>;
  for (number keys = 1; keys <= 6; ++keys) {
    for (number dilation = 1; dilation <= 5; ++dilation) {
      for (number q = 0; q < length; ++q) {
        for (number k = 0; k < length; ++k) {
          bool is_visible = false;
          for (number index = 0; index < keys; ++index) is_visible = is_visible || k == q - index * dilation;
          ASSERT_EQ(keeps<layer>(q, k, window::dilated(keys, dilation).value, dilation), is_visible)
              << keys << " keys, dilation " << dilation << ", query " << q << ", key " << k;
        }
      }
    }
  }
}

// What the models' configurations come to, as their tables say.
static_assert(window::keys(512).value == 512);
static_assert(window::flash(511).value == 512);
static_assert(window::hugging_face(4096).value == 4096);
static_assert(window::hugging_face_flash_before_pr40163(2047).value == 2048);
static_assert(window::splash(4).value == 5);
static_assert(window::xformers(4).value == 5);
static_assert(window::onnxruntime(128).value == 128 && window::onnxruntime_before_pr25927(128).value == 129);
static_assert(window::half(64).left.value == 64 && window::half(64).right.value == 64);
static_assert(window::modernbert(128).left.value == 64 && window::modernbert(128).right.value == 64);
static_assert(window::hugging_face_gemma3_bidirectional(512).left.value == 256);
static_assert(window::hugging_face_gemma3_bidirectional(512).right.value == 256);
static_assert(window::hugging_face_t5gemma2_bidirectional(512).left.value == 255);
static_assert(window::hugging_face_t5gemma2_bidirectional(512).right.value == 256);
static_assert(window::keras_hub_gemma3_bidirectional(512).left.value == 255);
static_assert(window::keras_hub_gemma3_bidirectional(512).right.value == 256);
static_assert(window::llama_cpp_symmetric(512).left.value == 256);

// No limit, and numbers that come near it.
static_assert(window::flash(-1).value == no_limit);
static_assert(window::torch_varlen(-1).value == no_limit);
static_assert(window::onnxruntime(-1).value == no_limit);
static_assert(window::onnxruntime_before_pr25927(-1).value == no_limit);
static_assert(window::flash(-1, 0).left.value == no_limit && window::flash(-1, 0).right.value == 0);
static_assert(window::flash(3, -1).left.value == 3 && window::flash(3, -1).right.value == no_limit);
static_assert(window::flash(no_limit).value == no_limit);
static_assert(window::flash(no_limit - 1).value == no_limit);
static_assert(window::dilated(no_limit, 2).value == no_limit);
static_assert(window::dilated(no_limit, 1).value == no_limit);
static_assert(window::dilated(1, no_limit).value == 1);
static_assert(keeps<causal_window>(1'000'000'000'000, 0, window::flash(-1).value));
static_assert(keeps<two_sided_window>(0, 1'000'000'000'000, 0, window::flash(0, -1).right.value));

template <class Convert>
std::string error_of(Convert convert) {
  try {
    convert();
  } catch (const error& wrong) {
    return wrong.what();
  }
  return "no error";
}

TEST(Window, NumbersThatASystemDoesNotAllow) {
  EXPECT_EQ(error_of([] { return window::keys(0); }),
            "axismask: error[window] window::keys: it is given 0; give a number of at least 1");
  EXPECT_EQ(error_of([] { return window::flash(-2); }),
            "axismask: error[window] window::flash: it is given -2; give a number of at least -1");
  EXPECT_EQ(error_of([] { return window::splash(-1); }),
            "axismask: error[window] window::splash: it is given -1; give a number of at least 0");
  EXPECT_EQ(error_of([] { return window::xformers(0, -1); }),
            "axismask: error[window] window::xformers: it is given -1; give a number of at least 0");
  for (const auto& convert :
       {+[] { return window::keys(0); }, +[] { return window::hugging_face(0); },
        +[] { return window::hugging_face_flash_before_pr40163(0); }, +[] { return window::gpt_neo(0); },
        +[] { return window::llama_cpp(0); }, +[] { return window::mlx(-1); },
        +[] { return window::mlx_before_pr390(0); }, +[] { return window::onnxruntime(0); },
        +[] { return window::onnxruntime_before_pr25927(0); }, +[] { return window::keras(0); },
        +[] { return window::xformers_window_size(0); }, +[] { return window::maxtext_dense(0); },
        +[] { return window::maxtext_splash(0); }, +[] { return window::attention_gym(-1); },
        +[] { return window::dilated(0, 1); }, +[] { return window::dilated(1, 0); },
        +[] { return window::torch_varlen(-2); }, +[] { return window::jax_nn(-1); }}) {
    EXPECT_NE(error_of(convert), "no error");
  }
  for (const auto& convert :
       {+[] { return window::half(-1); }, +[] { return window::hugging_face_bidirectional(0); },
        +[] { return window::modernbert(0); }, +[] { return window::hugging_face_gemma3_bidirectional(0); },
        +[] { return window::hugging_face_t5gemma2_bidirectional(0); },
        +[] { return window::keras_hub_gemma3_bidirectional(0); }, +[] { return window::keras_bidirectional(0); },
        +[] { return window::llama_cpp_symmetric(0); }, +[] { return window::flash(-2, 0); },
        +[] { return window::jax_nn(0, -1); }}) {
    EXPECT_NE(error_of(convert), "no error");
  }
}

}  // namespace
}  // namespace axismask
