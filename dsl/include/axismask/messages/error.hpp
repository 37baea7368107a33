// Errors at run time: one exception, one line, four parts.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace axismask {

// What went wrong, as `axismask: error[ID] WHERE: what; cure`. IDs are stable; docs/messages.md lists them.
class error : public std::runtime_error {
 public:
  error(std::string id, std::string where, std::string what_is_wrong, std::string cure)
      : std::runtime_error("axismask: error[" + id + "] " + where + ": " + what_is_wrong + "; " + cure),
        id_(std::move(id)),
        where_(std::move(where)),
        what_is_wrong_(std::move(what_is_wrong)),
        cure_(std::move(cure)) {}

  [[nodiscard]] const std::string& id() const { return id_; }
  // A JSON pointer, a file, an option, an argument of the call.
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const std::string& what_is_wrong() const { return what_is_wrong_; }
  [[nodiscard]] const std::string& cure() const { return cure_; }

  // Gives the same error with another WHERE, for a caller that knows better what the user meant.
  [[nodiscard]] error at(std::string where) const { return {id_, std::move(where), what_is_wrong_, cure_}; }

 private:
  std::string id_;
  std::string where_;
  std::string what_is_wrong_;
  std::string cure_;
};

}  // namespace axismask
