// The rules of the house as functions of a file's path and text, for the test that reads the tree.
// Each answers with its offences, "PATH:LINE: what is wrong". Pure.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relay::tests::tidy {

/// A file of the repository; `path` is relative to the root.
struct File {
  std::string path;
  std::string text;
};

using Offences = std::vector<std::string>;

inline bool is_cpp(const File& file) {
  return file.path.ends_with(".cpp") || file.path.ends_with(".hpp");
}

/// "common/base" of "common/base/error.hpp"; empty for a file in the root.
inline std::string folder_of(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? "" : path.substr(0, slash));
}

inline bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.substr(folder.size()).starts_with('/');
}

/// Asks `fault` about every line; a text that is not empty is an offence.
inline Offences each_line(const File& file,
                          const std::function<std::string(const std::string& line)>& fault) {
  Offences offences;
  std::string_view rest = file.text;
  for (int number = 1; !rest.empty(); ++number) {
    std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string wrong = fault(std::string(rest.substr(0, end)));
    if (!wrong.empty()) {
      offences.push_back(file.path + ":" + std::to_string(number) + ": " + wrong);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return offences;
}

/// The line without a // comment.
inline std::string code_of(const std::string& line) {
  bool quoted = false;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line.compare(i, 2, "//") == 0) {
      return line.substr(0, i);
    }
  }
  return line;
}

/// The rooms that files of a folder may include, beside their own; empty: any.
inline std::vector<std::string> rooms_below(const std::string& folder) {
  static const std::map<std::string, std::vector<std::string>> rooms = {
      {"common/base", {"common/base"}},
      {"common/http", {"common/base"}},
      {"common/media", {"common/base"}},
      {"common/store", {"common/base"}},
      {"common/net", {"common/base", "common/http", "common/media", "common/store"}},
      {"edge/policy", {"common/base"}},
      {"edge/cache", {"common/base", "common/http", "common/store", "edge/policy"}},
      {"edge/bus", {"common", "edge/fleet"}},
      {"edge", {"common", "edge"}},
      {"origin/live", {"common", "origin/intake", "origin/jobs", "origin/live"}},
      {"origin", {"common", "origin"}},
      // main.cpp, where a job meets its work, knows the live room too.
      {"transcoder",
       {"common/base", "common/http", "common/media", "common/store", "transcoder/live"}},
      {"transcoder/live", {"common/base", "common/media", "transcoder"}},
  };
  auto found = rooms.find(folder);
  if (found != rooms.end()) return found->second;
  // An inner room knows what is common, and neither its house nor its neighbours.
  return {"common"};
}

/// Includes go down only, by full path (DESIGN 2, "Direction").
inline Offences include_direction(const File& file) {
  std::string folder = folder_of(file.path);
  bool is_free = folder.starts_with("tests") || folder.starts_with("bench");
  return each_line(file, [&](const std::string& line) -> std::string {
    static const std::regex include(R"re(^#include "([^"]+)")re");
    std::smatch match;
    if (!is_cpp(file) || !std::regex_search(line, match, include)) return "";
    std::string target = match[1], room = folder_of(target);
    bool is_full = target.contains('/') && !target.starts_with('.');
    if (!is_full) return "include \"" + target + "\" is not a full path";
    if (is_free || room == folder) return "";
    for (const std::string& below : rooms_below(folder)) {
      if (room == below || is_in(room, below)) return "";
    }
    return folder + " may not include " + target;
  });
}

/// Files outside common/net that truly need an executor, a timer or an address. One that no longer
/// does must leave this list.
inline constexpr std::string_view asio_users[] = {
    "edge/fleet/probe.hpp",
    "edge/settings.cpp",
    "origin/announce.cpp",
    "origin/api.cpp",
    "origin/events.cpp",
    "origin/jobs/supervisor.cpp",
    "origin/live/rtmp_listener.cpp",
    "origin/live/transcoder.cpp",
};

inline bool includes_asio(std::string_view line) {
  return line.starts_with("#include <boost/asio") || line.starts_with("#include <boost/beast");
}

inline bool may_use_asio(const std::string& path) {
  return is_in(path, "common/net") || is_in(path, "tests") || is_in(path, "bench") ||
         std::ranges::find(asio_users, path) != std::end(asio_users);
}

/// Codecs live in the transcoder only; Asio costs seconds a file and stays in few.
inline Offences foreign_headers(const File& file) {
  bool may_use_codecs = is_in(file.path, "transcoder") || is_in(file.path, "tests/transcoder");
  return each_line(file, [&](const std::string& line) -> std::string {
    static const std::regex codec(R"(^#include <(libav\w+|libsw\w+|vips)/)");
    if (!is_cpp(file)) return "";
    if (!may_use_codecs && std::regex_search(line, codec)) {
      return "codec headers belong to the transcoder";
    }
    if (!may_use_asio(file.path) && includes_asio(line)) {
      return "Asio headers belong to common/net";
    }
    return "";
  });
}

/// relay::edge::cache in edge/cache; plain relay in common/base, common left out everywhere.
inline Offences namespace_is_folder(const File& file) {
  std::string folder = folder_of(file.path);
  bool is_house = false;
  for (std::string_view house : {"common", "edge", "origin", "transcoder"}) {
    is_house = is_house || folder == house || is_in(folder, house);
  }
  if (!is_house) return {};
  std::string expected = "relay::" + std::regex_replace(folder, std::regex("^common/"), "");
  expected = std::regex_replace(expected, std::regex("/"), "::");
  if (folder == "common/base") expected = "relay";
  return each_line(file, [&](const std::string& line) -> std::string {
    static const std::regex opening(R"(^namespace (relay[\w:]*) \{)");
    std::smatch match;
    if (!is_cpp(file) || !std::regex_search(line, match, opening)) return "";
    std::string name = match[1];
    bool is_forward = line.ends_with('}');  // namespace relay::net { class Client; }
    bool fits = name == expected || name.starts_with(expected + "::");
    if (fits || is_forward) return "";
    return "namespace " + name + " in " + folder + "; expected " + expected;
  });
}

inline std::size_t columns_of(std::string_view line) {
  // Bytes that go on a UTF-8 character take no column.
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

inline Offences length_and_width(const File& file) {
  constexpr std::ptrdiff_t lines_max = 400;
  constexpr std::size_t columns_max = 100;
  static const std::regex is_code(R"(\.(cpp|hpp|js|mjs|css|html)$)");
  if (!std::regex_search(file.path, is_code)) return {};
  Offences offences = each_line(file, [&](const std::string& line) -> std::string {
    if (!is_cpp(file) || columns_of(line) <= columns_max) return "";
    return "more than 100 columns";
  });
  auto lines = std::ranges::count(file.text, '\n');
  if (lines > lines_max) {
    offences.push_back(file.path + ":" + std::to_string(lines) + ": more than 400 lines");
  }
  return offences;
}

inline Offences white_space(const File& file) {
  Offences offences = each_line(file, [](const std::string& line) -> std::string {
    if (line.contains('\t')) return "a tab";
    if (line.ends_with(' ') || line.ends_with('\r')) return "space at the end";
    return "";
  });
  if (!file.text.empty() && !file.text.ends_with('\n')) {
    offences.push_back(file.path + ":1: no line end at the end");
  }
  return offences;
}

inline Offences leftovers(const File& file) {
  return each_line(file, [](const std::string& line) -> std::string {
    static const std::regex word(R"(\b(TODO|FIXME|XXX)\b)");
    std::smatch match;
    return std::regex_search(line, match, word) ? match[1].str() + " left over" : "";
  });
}

/// Each with what to use in its place.
inline Offences banned_calls(const File& file) {
  bool in_net = is_in(file.path, "common/net");
  bool may_sleep = !is_in(file.path, "tests") || file.path == "tests/support/eventually.hpp";
  return each_line(file, [&](const std::string& line) -> std::string {
    static const std::regex detached(R"(\bdetached\b)"), spawn(R"(\bco_spawn\b)"),
        sleep(R"(\bthis_thread::sleep)");
    if (!is_cpp(file)) return "";
    std::string code = code_of(line);
    if (std::regex_search(code, detached)) return "detached hides exceptions; use net::spawn";
    if (!in_net && std::regex_search(code, spawn)) return "co_spawn; use net::spawn";
    if (!may_sleep && std::regex_search(code, sleep)) return "a fixed sleep; use eventually()";
    return "";
  });
}

inline Offences machine_paths(const File& file) {
  return each_line(file, [](const std::string& line) -> std::string {
    static const std::regex path(R"((^|[^\w.~$}*-])/(work|tmp|root|home|Users)/)");
    return std::regex_search(line, path) ? "a path of one machine" : "";
  });
}

}  // namespace relay::tests::tidy
