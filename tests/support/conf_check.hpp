// Holds a conf/*.toml to the code: every key of the code stands in the file with the same default
// and the same comment, and the file has no other key. A commented-out key or table counts too.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/settings.hpp"

namespace relay::tests {

struct ConfKey {
  int line = 0;
  std::string comment;  // behind the value, else on the line above; empty: none
};

/// What stands in a conf file, by full name ("upstream[].url").
struct ConfFile {
  std::map<std::string, ConfKey> keys;
  std::string comments;  // all of them, for keys that a paragraph explains

  explicit ConfFile(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path << " is missing";
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) read(line, number);
  }

 private:
  void read(const std::string& line, int number) {
    static const std::regex table(R"(^(?:#\s*)?(\[\[?)([A-Za-z0-9_.]+)\]\]?\s*(?:#\s*(.*))?$)");
    static const std::regex pair(R"(^(?:#\s*)?([a-z0-9_]+) = (.*)$)");
    static const std::regex inline_key(R"(([a-z0-9_]+) = )");
    std::smatch match;
    std::string above = std::exchange(comment_above_, "");
    if (std::regex_match(line, match, table)) {
      bool is_array = match[1] == "[[";
      section_ = match[2].str() + (is_array ? "[]." : ".");
      std::string comment = match[3].matched ? match[3].str() : above;
      if (is_array) keys.try_emplace(match[2].str(), ConfKey{number, comment});
      comments += comment + "\n";
    } else if (std::regex_match(line, match, pair)) {
      std::string value = match[2], comment = comment_behind(value);
      array_ = section_ + match[1].str() + "[].";
      keys.try_emplace(section_ + match[1].str(),
                       ConfKey{number, comment.empty() ? above : comment});
      comments += comment + "\n";
    } else if (line.starts_with('#')) {
      comment_above_ = line.substr(std::min<std::size_t>(2, line.size()));
      comments += comment_above_ + "\n";
    } else if (line.find('{') != line.npos) {
      for (std::sregex_iterator at(line.begin(), line.end(), inline_key), end; at != end; ++at) {
        keys.try_emplace(array_ + at->str(1), ConfKey{number, ""});
      }
    }
  }

  /// The text behind a '#' that is not within quotes.
  static std::string comment_behind(const std::string& value) {
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '"') quoted = !quoted;
      if (value[i] == '#' && !quoted) return value.substr(std::min(i + 2, value.size()));
    }
    return {};
  }

  std::string section_, array_, comment_above_;
};

/// `examples`: keys whose value in the file is an example and not the default.
template <class Settings>
void expect_conf_matches(const std::string& path, void (*describe)(Schema&, Settings&),
                         const std::vector<std::string>& examples = {}) {
  auto loaded = load_settings<Settings>(path, describe);
  ASSERT_TRUE(loaded) << loaded.error().message;
  auto defaults = document_settings<Settings>(describe);
  auto shown = document_settings<Settings>(describe, *loaded);
  ConfFile file(path);
  std::map<std::string, bool> known;
  ASSERT_EQ(shown.size(), defaults.size());
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    const KeyDoc& doc = defaults[i];
    known[doc.key] = true;
    auto found = file.keys.find(doc.key);
    if (found == file.keys.end()) {
      ADD_FAILURE() << path << ": the key " << doc.key << " is missing; its default is "
                    << doc.default_value << ", its comment: " << doc.comment;
      continue;
    }
    std::string place = path + ":" + std::to_string(found->second.line) + ": " + doc.key;
    bool is_example = std::ranges::find(examples, doc.key) != examples.end();
    if (!is_example) EXPECT_EQ(shown[i].default_value, doc.default_value) << place;
    bool is_of_table = doc.key.contains("[]") || std::ranges::any_of(defaults, [&](auto& other) {
                         return other.key.starts_with(doc.key + "[]");
                       });
    if (!is_of_table) {
      // The file may say more, as which words are allowed.
      EXPECT_TRUE(found->second.comment.starts_with(doc.comment))
          << place << "\n  in the file: " << found->second.comment
          << "\n  in the code: " << doc.comment;
    } else {
      std::string_view name = std::string_view(doc.key).substr(doc.key.find_last_of(".]") + 1);
      bool explained = !found->second.comment.empty() || file.comments.contains(name);
      EXPECT_TRUE(explained) << place << " has no comment: " << doc.comment;
    }
  }
  for (const auto& [key, place] : file.keys) {
    EXPECT_TRUE(known.contains(key)) << path << ":" << place.line << ": unknown key " << key;
  }
}

}  // namespace relay::tests
