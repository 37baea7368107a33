// NumPy's .npz files: zip archives of .npy files. The format is PKWARE's APPNOTE.TXT; arrays may be stored as they are
// (numpy.savez) or deflated (numpy.savez_compressed), and the sizes may be those of ZIP64.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace axismask {

// The bytes of an array of an archive, where `path` is the archive's and then the array's name, "a.npz/x"; nothing when
// no part of the path is a file. Throws `error`, whose WHERE is the path: "npy-open" when the archive has no such
// array, "npy-format" when it is no archive, or is damaged.
[[nodiscard]] std::optional<std::string> read_npz_member(const std::filesystem::path& path);

// Throws `error` "npy-format" that lists the arrays, if the file is an archive: one of them is to be named.
void refuse_npz(const std::string& file);

}  // namespace axismask
