// The words that every program here takes, and the file that its figures go to.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::bench {

struct Words {
  bool quick = false;
  const char* json = nullptr;  // a file's name
  std::optional<int> stop;     // end at once, with this status
};

/// Reads --quick and --json FILE. At --help, or a word that is neither, it prints `help`.
inline Words read_words(int count, char** words, const char* help) {
  Words read;
  for (int i = 1; i < count && !read.stop; ++i) {
    std::string_view word = words[i];
    if (word == "--quick") {
      read.quick = true;
    } else if (word == "--json" && i + 1 < count) {
      read.json = words[++i];
    } else {
      std::fputs(help, word == "--help" ? stdout : stderr);
      read.stop = word == "--help" ? 0 : 2;
    }
  }
  return read;
}

/// Writes {"rows": [...]}, each row the text of a JSON object. False: it cannot be written, which
/// is said.
inline bool write_rows(const char* path, const std::vector<std::string>& rows) {
  std::FILE* file = std::fopen(path, "w");
  bool written = file != nullptr;
  if (file) {
    fmt::print(file, "{{\"rows\": [{}]}}\n", fmt::join(rows, ",\n"));
    written = std::fclose(file) == 0;
  }
  if (!written) fmt::print(stderr, "{}: cannot be written\n", path);
  return written;
}

/// The same of rows that `json_of` turns into such a text.
template <class Row>
bool write_rows(const char* path, const std::vector<Row>& rows,
                std::string (*json_of)(const Row&)) {
  std::vector<std::string> texts;
  for (const Row& row : rows) texts.push_back(json_of(row));
  return write_rows(path, texts);
}

}  // namespace relay::bench
