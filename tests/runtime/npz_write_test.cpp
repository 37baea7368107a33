// Archives that are written: what is read back, and what is refused. That NumPy and zip read them is the command's
// test.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/npy.hpp"

namespace axismask {
namespace {

namespace fs = std::filesystem;

class Npz : public testing::Test {
 protected:
  Npz() : folder_(fs::temp_directory_path() / ("axismask_npz_test_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  ~Npz() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path path(const std::string& name = "a.npz") const { return folder_ / name; }
  [[nodiscard]] bool is_empty() const { return fs::is_empty(folder_); }

  [[nodiscard]] std::string bytes() const {
    std::ifstream stream(path(), std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

 private:
  fs::path folder_;
};

TEST_F(Npz, ArraysAreReadBack) {
  const std::array<std::int8_t, 6> small{-128, -1, 0, 1, 2, 127};
  const std::array<std::int64_t, 1> one{1LL << 40};
  const std::array<bool, 3> truths{true, false, true};
  const std::array<std::int64_t, 2> two_by_three{2, 3};
  const std::array<std::int64_t, 1> three{3};
  const std::array<std::int64_t, 2> none{0, 5};
  const std::array<npz_array, 4> arrays{
      npz_array{.name = "small", .dtype = "int8", .sizes = two_by_three, .data = small.data()},
      npz_array{.name = "one", .dtype = "<i8", .sizes = {}, .data = one.data()},
      npz_array{.name = "truths", .dtype = "bool", .sizes = three, .data = truths.data()},
      npz_array{.name = "none", .dtype = "uint8", .sizes = none}};
  write_npz(path(), arrays);

  const npy_array first = read_npy(path("a.npz/small"));
  EXPECT_EQ(first.sizes, (std::vector<std::int64_t>{2, 3}));
  ASSERT_EQ(first.type, dtype::int32);
  for (std::size_t at = 0; at < small.size(); ++at)
    EXPECT_EQ(reinterpret_cast<const std::int32_t*>(first.memory.get())[at], small[at]);
  const npy_array second = read_npy(path("a.npz/one"));
  EXPECT_TRUE(second.sizes.empty());
  EXPECT_EQ(*reinterpret_cast<const std::int64_t*>(second.memory.get()), one[0]);
  const npy_array third = read_npy(path("a.npz/truths"));
  EXPECT_EQ(third.type, dtype::boolean);
  EXPECT_EQ(third.memory[1], std::byte{0});
  EXPECT_EQ(third.memory[2], std::byte{1});
  EXPECT_EQ(read_npy(path("a.npz/none")).sizes, (std::vector<std::int64_t>{0, 5}));
}

TEST_F(Npz, TheSameArraysMakeTheSameBytes) {
  const std::array<std::int32_t, 3> numbers{1, 2, 3};
  const std::array<std::int64_t, 1> three{3};
  const std::array<npz_array, 1> arrays{{{.name = "x", .dtype = "int32", .sizes = three, .data = numbers.data()}}};
  write_npz(path(), arrays);
  const std::string first = bytes();
  write_npz(path(), arrays);
  EXPECT_EQ(bytes(), first);
}

// Whichever byte of the array is another, the reader finds that it is.
TEST_F(Npz, TheChecksumIsOfAllBytes) {
  const std::array<std::int32_t, 2> numbers{1, 2};
  const std::array<std::int64_t, 1> two{2};
  const std::array<npz_array, 1> arrays{{{.name = "x", .dtype = "int32", .sizes = two, .data = numbers.data()}}};
  write_npz(path(), arrays);
  const std::string whole = bytes();
  const std::size_t start = whole.find("\x93NUMPY");
  for (std::size_t at = start; at < start + 128 + 8; ++at) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 4);
    std::ofstream(path(), std::ios::binary) << wrong;
    EXPECT_THROW((void)read_npy(path("a.npz/x")), error) << at;
  }
}

TEST_F(Npz, RefusedArchives) {
  const auto text_of = [](const fs::path& file, std::string_view dtype) {
    const std::array<std::int64_t, 1> sizes{0};
    const std::array<npz_array, 1> arrays{{{.name = "x", .dtype = dtype, .sizes = sizes}}};
    try {
      write_npz(file, arrays);
    } catch (const error& problem) {
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(text_of(path("none/a.npz"), "int32"), "axismask: error[npy-write] " + path("none/a.npz").string() +
                                                      ": there is no folder " + path("none").string() +
                                                      "; make the folder, or write to another");
  EXPECT_EQ(
      text_of(path(), "complex64"),
      "axismask: error[npy-dtype] " + path().string() +
          ": its elements are 'complex64', which cannot be written; give bool, integers or floats of up to 64 bits");
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace axismask
