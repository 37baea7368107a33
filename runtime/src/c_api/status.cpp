// The error of each thread, and the library's version.
#include "c_api/status.hpp"

#include <exception>
#include <memory>
#include <new>
#include <string>

#include "axismask/messages/error.hpp"

namespace axismask::c_api {
namespace {

constexpr axismask_error no_error{"", "", "", "", ""};
constexpr axismask_error out_of_memory{
    "memory", "axismask", "there is not enough memory", "give smaller arrays, or free some",
    "axismask: error[memory] axismask: there is not enough memory; give smaller arrays, or free some"};

// The error, and the memory of its texts.
struct kept_error {
  std::unique_ptr<const error> texts;
  axismask_error error_of_c = no_error;
};
thread_local kept_error last;

axismask_status keep(const error& problem, axismask_status status) noexcept {
  try {
    last.texts = std::make_unique<const error>(problem);
    last.error_of_c = {last.texts->id().c_str(), last.texts->where().c_str(), last.texts->what_is_wrong().c_str(),
                       last.texts->cure().c_str(), last.texts->what()};
    return status;
  } catch (...) {
    last.error_of_c = out_of_memory;
    return AXISMASK_NO_MEMORY;
  }
}

axismask_status keep_internal(const char* what) noexcept {
  try {
    return keep(error("internal", "axismask", what, "report this: it is a mistake in axismask"), AXISMASK_INTERNAL);
  } catch (...) {
    last.error_of_c = out_of_memory;
    return AXISMASK_NO_MEMORY;
  }
}

}  // namespace

axismask_status status_of_exception() noexcept {
  try {
    throw;
  } catch (const error& problem) {
    return keep(problem, AXISMASK_REFUSED);
  } catch (const std::bad_alloc&) {
    last.error_of_c = out_of_memory;
    return AXISMASK_NO_MEMORY;
  } catch (const std::exception& problem) {
    return keep_internal(problem.what());
  } catch (...) {
    return keep_internal("an exception of no known type");
  }
}

namespace {

std::string version_text(std::int32_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

const axismask_error* axismask_last_error(void) { return &last.error_of_c; }

std::int32_t axismask_version(void) { return AXISMASK_VERSION; }

axismask_status axismask_check_version(std::int32_t header_version) {
  return guarded([&] {
    // Before 1.0 a minor version may change the interface; a later patch of the library serves earlier headers.
    if (header_version / 100 == AXISMASK_VERSION / 100 && header_version <= AXISMASK_VERSION) return;
    throw axismask::error("c-version", "header_version",
                          "axismask.h is of version " + version_text(header_version) + ", and the library of " +
                              version_text(AXISMASK_VERSION),
                          "compile with the header that was installed with the library");
  });
}
