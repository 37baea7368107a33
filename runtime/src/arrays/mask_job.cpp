// What is to be done in a call.
#include "arrays/mask_job.hpp"

#include <string>

#include "axismask/messages/error.hpp"

namespace axismask {

std::uint64_t mask_job::masked_pattern() const {
  std::uint64_t pattern = masked;
  for (std::int64_t width = bound.out().element_bytes; width < 8; width *= 2) pattern |= pattern << (8 * width);
  return pattern;
}

void take_kernel(mask_job& job, const layer_type& type, std::span<const kernel> kernels, kernel_form form) {
  const bool masks = form.operation == operation::mask;
  const std::int64_t element_bytes = masks ? job.bound.logits().element_bytes : 1;
  for (const kernel& kernel : kernels) {
    if (kernel.operation == form.operation && kernel.element_bytes == element_bytes &&
        kernel.position_bytes == form.position_bytes && kernel.packs_words == form.packs_words) {
      job.kernel = &kernel;
      return;
    }
  }
  throw error("kernel-missing", std::string(type.name),
              "\"" + std::string(kernels.front().variant) + "\" has no kernel of it " +
                  (masks ? "for elements of " + std::to_string(element_bytes) + " bytes"
                         : std::string("that tells what is kept")) +
                  " and positions of " + std::to_string(form.position_bytes) + " bytes" +
                  (form.packs_words ? " that sees words" : ""),
              "build the library of its layers again: axismask_add_layers makes a kernel for every width");
}

}  // namespace axismask
