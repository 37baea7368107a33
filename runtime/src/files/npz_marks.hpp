// What stands in a .npz file, which is a zip archive, before its records. The wide records are those of ZIP64.
#pragma once

#include <cstdint>
#include <string_view>

namespace axismask::npz {

inline constexpr std::string_view file_mark = "PK\x03\x04";
inline constexpr std::string_view entry_mark = "PK\x01\x02";  // of the directory
inline constexpr std::string_view end_mark = "PK\x05\x06";
inline constexpr std::string_view wide_end_mark = "PK\x06\x06";
inline constexpr std::string_view wide_end_pointer_mark = "PK\x06\x07";

inline constexpr std::uint64_t in_wide_field = 0xffffffff;  // the number stands in a wide field

}  // namespace axismask::npz
