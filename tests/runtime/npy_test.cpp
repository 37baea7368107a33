// Tests of runtime/npy: what is written is read back, hand-made headers are read as NumPy reads them, and each bad file
// gives its exact error.
#include "axismask/npy.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>

#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

namespace fs = std::filesystem;
using sizes = std::vector<std::int64_t>;

// A folder for one test, gone after it.
class Npy : public testing::Test {
 protected:
  Npy() : folder_(fs::temp_directory_path() / ("axismask_npy_test_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  ~Npy() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path path(const std::string& name = "a.npy") const { return folder_ / name; }

  [[nodiscard]] std::size_t files_there() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  [[nodiscard]] std::string bytes_of(const fs::path& file) const {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream bytes;
    bytes << stream.rdbuf();
    return bytes.str();
  }

  void write_bytes(const std::string& bytes) const {
    std::ofstream stream(path(), std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  // A version 1.0 file with that header and so many bytes of data, which count 0, 1, 2 ...
  void write_file(const std::string& header, std::size_t data_bytes) const {
    write_bytes(file_start(1, header.size()) + header + counting(data_bytes));
  }

  // The magic string, the version and the length of the header.
  [[nodiscard]] static std::string file_start(int version, std::size_t header_size) {
    std::string start("\x93NUMPY");
    start += static_cast<char>(version);
    start += '\0';
    for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte) {
      start += static_cast<char>(header_size >> (8 * byte) & 0xff);
    }
    return start;
  }

  [[nodiscard]] static std::string counting(std::size_t bytes) {
    std::string result(bytes, '\0');
    std::iota(result.begin(), result.end(), '\0');
    return result;
  }

  // The error of reading the file, less its start "axismask: error[" and with FILE for the file's path.
  [[nodiscard]] std::string read_error(std::optional<dtype> as = std::nullopt) const {
    try {
      (void)read_npy(path(), as);
    } catch (const error& problem) {
      EXPECT_EQ(problem.where(), path().string());
      return shortened(problem.what(), path());
    }
    return "no error";
  }

  [[nodiscard]] static std::string write_error(const fs::path& file, const sizes& shape = {2},
                                               const sizes& steps = {1}) {
    const std::string data = counting(64);
    try {
      write_npy(file, dtype::int32, shape, steps, data.data());
    } catch (const error& problem) {
      EXPECT_EQ(problem.where(), file.string());
      return shortened(problem.what(), file);
    }
    return "no error";
  }

  [[nodiscard]] static std::string shortened(const std::string& text, const fs::path& file) {
    const std::string start = "axismask: error[";
    EXPECT_TRUE(text.starts_with(start)) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    std::string result = text.substr(start.size());
    if (const std::size_t at = result.find(file.string()); at != std::string::npos) {
      result.replace(at, file.string().size(), "FILE");
    }
    return result;
  }

 private:
  fs::path folder_;
};

std::string header(const std::string& descr, const std::string& shape, bool fortran_order = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran_order ? "True" : "False") + ", 'shape': " + shape +
         ", }\n";
}

TEST_F(Npy, RoundTripOfEveryDtypeAndOrder) {
  struct shape_case {
    sizes shape;
    sizes steps;
  };
  const std::vector<shape_case> cases{
      {{}, {}},         {{5}, {1}}, {{2, 3, 4}, {12, 4, 1}}, {{2, 3, 4}, {1, 2, 6}}, {{3, 0, 2}, {0, 2, 1}},
      {{1, 3}, {7, 1}},  // the stride of an axis of size 1 says nothing
  };
  for (const dtype type :
       {dtype::float16, dtype::bfloat16, dtype::float32, dtype::float64, dtype::int32, dtype::int64, dtype::boolean}) {
    for (const auto& [shape, steps] : cases) {
      std::size_t bytes = static_cast<std::size_t>(info(type).bytes);
      for (const std::int64_t size : shape) bytes *= static_cast<std::size_t>(size);
      const std::string data = counting(bytes);

      write_npy(path(), type, shape, steps, data.data());
      const npy_array array = read_npy(path());

      SCOPED_TRACE(info(type).name);
      EXPECT_EQ(array.type, type);
      EXPECT_EQ(array.sizes, shape);
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] > 1 && bytes > 0) {
          EXPECT_EQ(array.strides[axis], steps[axis]);
        }
      }
      EXPECT_EQ(std::memcmp(array.memory.get(), data.data(), bytes), 0);
      EXPECT_EQ(files_there(), 1U);
    }
  }
}

TEST_F(Npy, WritesNumpysOwnBytes) {
  const std::string data = counting(24);
  const std::string padding(58, ' ');
  write_npy(path(), dtype::float32, sizes{2, 3}, sizes{3, 1}, data.data());
  EXPECT_EQ(bytes_of(path()), std::string("\x93NUMPY\x01\x00v\x00", 10) +
                                  "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + padding + "\n" +
                                  data);
  write_npy(path(), dtype::bfloat16, sizes{3, 4}, sizes{1, 3}, data.data());
  EXPECT_EQ(bytes_of(path()), std::string("\x93NUMPY\x01\x00v\x00", 10) +
                                  "{'descr': '|V2', 'fortran_order': True, 'shape': (3, 4), }" + padding + " \n" +
                                  data);
}

TEST_F(Npy, ReadsHandMadeHeaders) {
  const std::vector<std::string> headers{
      "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n",
      "{'shape':(2,3),'fortran_order':True,'descr':'<i4'}",
      "  {  \"descr\" : \"<i4\" ,\n \"shape\" : ( 2 , 3 , ) , \t 'fortran_order' : True , }  \n\n",
      "{'fortran_order': True, 'descr': '<i4', 'shape': (2L, 3L)}",
  };
  for (const std::string& text : headers) {
    for (const int version : {1, 2, 3}) {
      SCOPED_TRACE(text);
      write_bytes(file_start(version, text.size()) + text + counting(24));
      const npy_array array = read_npy(path());
      EXPECT_EQ(array.type, dtype::int32);
      EXPECT_EQ(array.sizes, (sizes{2, 3}));
      EXPECT_EQ(array.strides, (sizes{1, 2}));
      EXPECT_EQ(std::memcmp(array.memory.get(), counting(24).data(), 24), 0);
    }
  }
}

TEST_F(Npy, ReadsScalarsAndEmptyArrays) {
  write_file(header("<f8", "()"), 8);
  EXPECT_EQ(read_npy(path()).sizes, sizes{});
  write_file(header("<f8", "(0,)"), 0);
  EXPECT_EQ(read_npy(path()).sizes, sizes{0});
  write_file(header("|b1", "(4, 0, 1000000)"), 0);
  EXPECT_EQ(read_npy(path()).sizes, (sizes{4, 0, 1000000}));
}

TEST_F(Npy, ReadsTwoByteElementsAsTheCallerSays) {
  for (const std::string descr : {"<V2", "|V2"}) {
    write_file(header(descr, "(3,)"), 6);
    EXPECT_EQ(read_npy(path()).type, dtype::bfloat16);
    EXPECT_EQ(read_npy(path(), dtype::float16).type, dtype::float16);
  }
  for (const std::string descr : {"<f2", "<i2", "<u2", "<V2", "|V2"}) {
    write_file(header(descr, "(3,)"), 6);
    EXPECT_EQ(read_npy(path(), dtype::bfloat16).type, dtype::bfloat16);
  }
  write_file(header("<f4", "(3,)"), 12);
  EXPECT_EQ(read_npy(path(), dtype::float32).type, dtype::float32);
}

TEST_F(Npy, ViewNamesTheAxes) {
  write_file(header("<i4", "(2, 3)", true), 24);
  const npy_array array = read_npy(path());
  const std::array<std::string_view, 2> names{"seq", "kv_seq"};
  const any_view view = array.view(names);
  EXPECT_EQ(view.data(), array.memory.get());
  EXPECT_EQ(view.type(), dtype::int32);
  ASSERT_EQ(view.axes().size(), 2U);
  EXPECT_EQ(view.axes()[1].name, "kv_seq");
  EXPECT_EQ(view.axes()[1].size, 3);
  EXPECT_EQ(view.axes()[1].stride, 2);
  try {
    (void)array.view(std::span(names).first(1));
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(problem.what(),
                 "axismask: error[array-rank] array: 1 names are given for the shape (2, 3); name each axis, in the "
                 "file's order");
  }
}

TEST_F(Npy, ErrorsOfFilesThatCannotBeOpened) {
  EXPECT_EQ(read_error(), "npy-open] FILE: there is no such file; give the path of an .npy file");
  fs::create_directory(path());
  EXPECT_EQ(read_error(), "npy-open] FILE: it is not a regular file; give the path of an .npy file");
}

TEST_F(Npy, ErrorsOfTheFormat) {
  write_bytes("PK\x03\x04 an archive");
  EXPECT_EQ(read_error(),
            "npy-format] FILE: it is not an .npy file: it does not start with \\x93NUMPY; write the array with "
            "numpy.save");
  write_bytes(file_start(4, 10) + "{         }");
  EXPECT_EQ(
      read_error(),
      "npy-format] FILE: its format is version 4.0, and versions 1.0, 2.0 and 3.0 can be read; write the array with "
      "numpy.save, which takes version 1.0 for plain numbers");
  const std::string large(2 << 20, ' ');
  write_bytes(file_start(2, large.size()) + large);
  EXPECT_EQ(read_error(), "npy-format] FILE: its header has 2097152 bytes; write the file again with numpy.save");

  write_file(header("<f4", "(1,)"), 5);
  EXPECT_EQ(read_error(),
            "npy-format] FILE: the shape (1,) of '<f4' needs 4 bytes, and the file has 5; copy or write the file "
            "again");
  write_file(header("<f4", "(0, 3)"), 1);
  EXPECT_EQ(read_error(),
            "npy-format] FILE: the shape (0, 3) of '<f4' needs 0 bytes, and the file has 1; copy or write the file "
            "again");
  write_file(header("|b1", "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)"), 1);
  EXPECT_EQ(read_error(), "npy-format] FILE: its array has 17 axes, and at most 16 are possible; reshape the array");
}

// Sizes that no memory holds, and whose product does not fit 64 bits, are refused before memory is asked for.
TEST_F(Npy, ErrorsOfHugeShapes) {
  const std::string again = "; write the file again with numpy.save";
  for (const std::string shape : {"(4294967296, 4294967296)", "(9223372036854775807,)", "(0, 4611686018427387904, 4)",
                                  "(4611686018427387904, 4, 0)"}) {
    write_file(header("<f8", shape), 8);
    EXPECT_EQ(read_error(), "npy-format] FILE: its shape " + shape + " is more than any memory holds" + again);
  }
  write_file(header("<f8", "(9223372036854775808,)"), 8);
  EXPECT_EQ(read_error(),
            "npy-format] FILE: its header is malformed: a size needs more than 64 bits: \"9223372036854775808,), }?\"" +
                again);
  write_file(header("<f8", "(1152921504606846975,)"), 8);
  EXPECT_EQ(read_error(),
            "npy-truncated] FILE: the shape (1152921504606846975,) of '<f8' needs 9223372036854775800 bytes, and the "
            "file has 8; copy or write the file again");
}

TEST_F(Npy, ErrorsOfTheHeadersText) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "expected '{' at its end"},
      {"[]", "expected '{' at \"[]\""},
      {"{", "expected a string at its end"},
      {"{'descr", "a string does not end: \"'descr\""},
      {"{'descr' '<f4'}", "expected ':' at \"'<f4'}\""},
      {"{'descr': <f4}", "expected a string at \"<f4}\""},
      {"{'descr': '<f4' 'shape': ()}", "expected '}' at \"'shape': ()}\""},
      {"{'descr': '<f4', 'descr': '<f4'}", "the key 'descr' is there twice"},
      {"{'order': 1}", "there is a key 'order', which has no meaning"},
      {"{'fortran_order': 0}", "expected True or False at \"0}\""},
      {"{'fortran_order': Falsehood}", "expected '}' at \"hood}\""},
      {"{'shape': 3}", "expected '(' at \"3}\""},
      {"{'shape': (3)}", "the shape is not a tuple"},
      {"{'shape': (,)}", "expected a size at \",)}\""},
      {"{'shape': (3 4)}", "expected ',' or ')' at \"4)}\""},
      {"{'shape': (3,,4)}", "expected a size at \",4)}\""},
      {"{'shape': (3.0,)}", "expected ',' or ')' at \".0,)}\""},
      {"{'shape': (-3,)}", "a size is negative: \"-3,)}\""},
      {"{'shape': (3, 4", "expected ',' or ')' at its end"},
      {"{'shape': (3, ", "expected a size at its end"},
      {"{'fortran_order': False, 'shape': ()}", "the key 'descr' is missing"},
      {"{'descr': '<f4', 'shape': ()}", "the key 'fortran_order' is missing"},
      {"{'descr': '<f4', 'fortran_order': False}", "the key 'shape' is missing"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1", "there is more after the dict: \"+ 1\""},
      {"{'\n\x01\xff a': 1}", "there is a key '?\?? a', which has no meaning"},
  };
  for (const auto& [text, what] : cases) {
    SCOPED_TRACE(text);
    write_file(text, 4);
    EXPECT_EQ(read_error(),
              "npy-format] FILE: its header is malformed: " + what + "; write the file again with numpy.save");
  }
}

TEST_F(Npy, ErrorsOfDtypes) {
  const std::string cure =
      "', which cannot be read; convert the array to bool, to integers or floats of up to 64 bits, or to "
      "ml_dtypes.bfloat16";
  for (const std::string descr :
       {"|O", "<c8", "|V4",   ">c8", "<U3", "",    "<",   "<float32", "f",   "f16",
        "i3", "b2",  "?1",    "l8",  "f4 ", " f4", "@f4", "!f4",      "f-4", "f99999999999999999999",
        "V",  "S2",  "(2,)f4"}) {
    write_file(header(descr, "(1,)"), 4);
    EXPECT_EQ(read_error(), descr == "f" ? "no error" : "npy-dtype] FILE: its elements are '" + descr + cure);
  }
  write_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4);
  EXPECT_EQ(read_error(),
            "npy-dtype] FILE: its elements are structures: \"[('a', '<f4')], 'fortran_order': False, ...\"; write each "
            "field to a file of its own");
  write_file(header("<f4", "(1,)"), 4);
  EXPECT_EQ(read_error(dtype::bfloat16),
            "npy-dtype] FILE: its elements are '<f4', and bfloat16 was asked for; ask for the file's own dtype, or "
            "convert the file");
}

// The elements are 0x0100, 0x0302 and so on, or these bytes in the other order.
TEST_F(Npy, ReadsIntegersOfEveryWidthAndOrder) {
  struct integer_case {
    std::string descr;
    std::int64_t first;
    dtype type;
  };
  for (const auto& [descr, first, type] : {
           integer_case{"|i1", 0x01, dtype::int32},
           integer_case{"|u1", 0x01, dtype::int32},
           integer_case{"<i2", 0x0201, dtype::int32},
           integer_case{">u2", 0x0102, dtype::int32},
           integer_case{">i4", 0x01020304, dtype::int32},
           integer_case{">u4", 0x01020304, dtype::int64},
           integer_case{"<u8", 0x0807060504030201, dtype::int64},
           integer_case{">i8", 0x0102030405060708, dtype::int64},
       }) {
    SCOPED_TRACE(descr);
    const std::string text = header(descr, "(1,)");
    write_bytes(file_start(1, text.size()) + text +
                std::string("\x01\x02\x03\x04\x05\x06\x07\x08").substr(0, static_cast<std::size_t>(descr[2] - '0')));
    const npy_array array = read_npy(path());
    ASSERT_EQ(array.type, type);
    std::int64_t number = 0;
    std::memcpy(&number, array.memory.get(), type == dtype::int32 ? 4 : 8);
    EXPECT_EQ(number, first);
  }
  const std::string text = header("<u8", "(2,)");
  write_bytes(file_start(1, text.size()) + text + std::string(8, '\0') + std::string(8, '\xff'));
  EXPECT_EQ(
      read_error(),
      "npy-value] FILE: its element 1, in the file's order, is 18446744073709551615, and int64 holds no such number; "
      "write numbers up to 2^63 - 1");
  const std::string bytes = header("<i1", "(3,)");
  write_bytes(file_start(1, bytes.size()) + bytes + "\xff\x80\x7f");
  const npy_array array = read_npy(path());
  std::array<std::int32_t, 3> numbers{};
  std::memcpy(numbers.data(), array.memory.get(), sizeof numbers);
  EXPECT_EQ(numbers, (std::array<std::int32_t, 3>{-1, -128, 127}));
}

TEST_F(Npy, MasksOfOtherNumbers) {
  const auto mask_of = [&](const std::string& descr, const std::string& bytes,
                           bool fortran_order = false) -> std::string {
    const std::string text = header(descr, "(2, 2)", fortran_order);
    write_bytes(file_start(1, text.size()) + text + bytes);
    try {
      const npy_array mask = as_mask(read_npy(path()));
      EXPECT_EQ(mask.type, dtype::boolean);
      std::string kept;
      for (int at = 0; at < 4; ++at) kept += mask.memory[static_cast<std::size_t>(at)] == std::byte{1} ? '1' : '0';
      return kept;
    } catch (const error& problem) {
      return shortened(problem.what(), path());
    }
  };
  using namespace std::string_literals;
  EXPECT_EQ(mask_of("|u1", "\0\1\1\0"s), "0110");
  EXPECT_EQ(mask_of(">i2", "\0\0\0\1\0\1\0\0"s), "0110");
  // float16: 0, -inf, the lowest, -0
  EXPECT_EQ(mask_of("<f2", "\0\0\x00\xfc\xff\xfb\0\x80"s), "1001");
  // bfloat16: the same
  EXPECT_EQ(mask_of("|V2", "\0\0\x80\xff\x7f\xff\0\x80"s), "1001");
  EXPECT_EQ(mask_of("<f4", "\0\0\0\0\0\0\x80\xff\xff\xff\x7f\xff\0\0\0\x80"s), "1001");
  const std::string bool_cure = "; make a mask of bool, true where logits are kept";
  EXPECT_EQ(mask_of("|u1", "\0\1\2\3"s),
            "mask-value] array: its element (1, 0) is 2, and a mask of integers has 0 and 1" + bool_cure);
  EXPECT_EQ(mask_of("|u1", "\0\1\2\3"s, true),
            "mask-value] array: its element (0, 1) is 2, and a mask of integers has 0 and 1" + bool_cure);
  EXPECT_EQ(
      mask_of("<f2", "\0\0\x00\xfc\0\x3c\0\x80"s),
      "mask-value] array: its element (1, 0) is 1, and a mask of floats has 0, which keeps, and -inf or the lowest "
      "float16, which mask" +
          bool_cure);
  EXPECT_EQ(
      mask_of("|V2", "\0\0\xc0\x7f\0\x3c\0\x80"s),
      "mask-value] array: its element (0, 1) is nan, and a mask of floats has 0, which keeps, and -inf or the lowest "
      "bfloat16, which mask" +
          bool_cure);
}

TEST_F(Npy, ErrorsOfTruncatedFiles) {
  write_bytes("");
  EXPECT_EQ(read_error(), "npy-truncated] FILE: it ends in its header, after 0 bytes; copy or write the file again");
  write_bytes(file_start(2, 0xffffffff) + "{");
  EXPECT_EQ(read_error(), "npy-truncated] FILE: it ends in its header, after 13 bytes; copy or write the file again");

  write_file(header("<f4", "(2, 3)"), 24);
  const std::string whole = bytes_of(path());
  const std::size_t start = whole.size() - 24;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(whole.substr(0, size));
    const std::string what =
        size < start ? "it ends in its header, after " + std::to_string(size) + " bytes"
                     : "the shape (2, 3) of '<f4' needs 24 bytes, and the file has " + std::to_string(size - start);
    EXPECT_EQ(read_error(), "npy-truncated] FILE: " + what + "; copy or write the file again");
  }
}

// Any byte of the header can be wrong: then there is an error or an array, and nothing else.
TEST_F(Npy, SurvivesEveryWrongByte) {
  write_file(header("<f4", "(2, 3)"), 24);
  const std::string whole = bytes_of(path());
  int errors = 0;
  for (std::size_t at = 0; at < whole.size() - 24; ++at) {
    for (const char wrong : {'\0', ' ', '9', '(', ')', '{', '}', '\'', ',', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = wrong;
      write_bytes(bytes);
      errors += read_error() == "no error" ? 0 : 1;
    }
  }
  EXPECT_GT(errors, 400);
}

TEST_F(Npy, ErrorsOfWriting) {
  EXPECT_EQ(write_error(path("none/a.npy")),
            "npy-write] FILE: there is no folder " + path("none").string() + "; make the folder, or write to another");
  EXPECT_EQ(write_error(path().parent_path()),
            "npy-write] FILE: it is there, and is not a regular file; write to a file");
  EXPECT_EQ(write_error("/dev/null"), "npy-write] FILE: it is there, and is not a regular file; write to a file");
  EXPECT_EQ(write_error(path(), {2, 3}, {6, 2}),
            "npy-write] FILE: the array is neither in C order nor in Fortran order; copy it to a dense array");
  EXPECT_EQ(write_error(path("") / std::string(300, 'a')),
            "npy-write] FILE: it cannot be written (File name too long); make room, or write to another folder");
  EXPECT_EQ(files_there(), 0U);
}

TEST_F(Npy, ReplacesWhatIsThere) {
  write_bytes("something else");
  EXPECT_EQ(write_error(path(), {3}, {1}), "no error");
  EXPECT_EQ(read_npy(path()).sizes, sizes{3});
  EXPECT_EQ(files_there(), 1U);
}

// A file name without a folder is in the working directory.
TEST_F(Npy, WritesToTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(path().parent_path());
  EXPECT_EQ(write_error("plain.npy"), "no error");
  fs::current_path(before);
  EXPECT_EQ(read_npy(path("plain.npy")).sizes, sizes{2});
}

}  // namespace
}  // namespace axismask
