// The axes of a form, and the planes that lie along them.
#include "forms/form_axes.hpp"

namespace axismask {

form_axes::form_axes(std::string_view form, const form_options& options, const std::vector<std::string>& plane_axes,
                     const std::vector<std::int64_t>& plane_sizes)
    : form_(form), batch_axis_(options.batch_axis), heads_axis_(options.heads_axis) {
  std::int64_t step = 1;
  for (std::size_t axis = plane_axes.size(); axis-- > 0;) {
    const std::int64_t size = plane_sizes[axis];
    if (plane_axes[axis] == batch_axis_) {
      batch_ = size;
      batch_step_ = step;
    } else if (plane_axes[axis] == heads_axis_) {
      heads_ = size;
      heads_step_ = step;
    } else {
      throw error("form-axis", plane_axes[axis],
                  "the mask changes along this axis, and " + std::string(form) + " knows batch (\"" +
                      options.batch_axis + "\") and heads (\"" + options.heads_axis + "\")",
                  "name it as the one or the other, or plan each of its indices by itself");
    }
    step *= size;
  }
}

void form_axes::refuse_heads(std::string_view cure) const {
  if (heads_step_ == 0 || heads_ == 1) return;
  throw error("form-heads", std::string(heads_axis_),
              "the mask changes along this axis, and all heads of " + std::string(form_) + " share one mask",
              std::string(cure));
}

void form_axes::refuse_batch(std::string_view cure) const {
  if (batch_step_ == 0 || batch_ == 1) return;
  throw error("form-batch", std::string(batch_axis_),
              "the mask changes along this axis, and " + std::string(form_) + " has the mask of one sequence",
              std::string(cure));
}

std::string form_axes::place(std::int64_t batch, std::int64_t head, std::string_view what, std::int64_t index) const {
  std::string text;
  if (batch_step_ != 0) text += std::string(batch_axis_) + " " + std::to_string(batch) + ", ";
  if (heads_step_ != 0) text += std::string(heads_axis_) + " " + std::to_string(head) + ", ";
  return text + std::string(what) + " " + std::to_string(index);
}

}  // namespace axismask
