// One line an event, to stderr, key=value or JSON. Thread-safe. Never log keys or tokens.
//   log::info("upload stored", {kv("tenant", tenant), kv("bytes", n)});
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace relay::log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

struct Pair {
  std::string_view key;
  std::string value;
  bool quoted;  // false: a number or boolean, printed bare in JSON
};

template <class T>
Pair kv(std::string_view key, const T& value) {
  constexpr bool bare = std::is_arithmetic_v<T>;
  return Pair{key, fmt::format("{}", value), !bare};
}

/// Call once at start; the defaults are text at info. `program` stands in every line.
void configure(std::string_view program, Level lowest, Format format);
/// The same in the words of the settings: debug, info, warn, error; text, json.
void configure(std::string_view program, std::string_view lowest, std::string_view format);

void write(Level level, std::string_view event, std::initializer_list<Pair> pairs = {});
inline void debug(std::string_view event, std::initializer_list<Pair> pairs = {}) {
  write(Level::debug, event, pairs);
}
inline void info(std::string_view event, std::initializer_list<Pair> pairs = {}) {
  write(Level::info, event, pairs);
}
inline void warn(std::string_view event, std::initializer_list<Pair> pairs = {}) {
  write(Level::warn, event, pairs);
}
inline void error(std::string_view event, std::initializer_list<Pair> pairs = {}) {
  write(Level::error, event, pairs);
}

}  // namespace relay::log

namespace relay {
using log::kv;
}
