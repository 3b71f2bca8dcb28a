// A TOML file becomes a struct. A program describes its settings once, key by key; reading,
// `--check`, and the test that holds conf/*.toml to the code all use that one description.
//
//   void describe(Schema& schema, Settings& into) {
//     schema.text("edge.name", into.name, "what peers call this edge");
//     schema.count("edge.threads", into.threads, "0: one a core", {0, 256});
//     schema.tables<Upstream>("upstream", into.upstreams, describe_upstream, "where misses go");
//   }
//   Result<Settings> settings = load_settings<Settings>("conf/edge.toml", describe);
//
// Unknown keys, wrong types and impossible values are errors "FILE:LINE:COLUMN: what is wrong and
// what is allowed"; the value already in the struct is the default of a key that is absent.
// Rules between keys are the program's own: check them at the end of describe() with reject().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay {

struct CountRange {
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
};

struct NumberRange {
  double least = 0;
  double most = 1e18;
};

/// One key as the reference lists it: "edge.threads", "0", "0: one a core". For keys inside an
/// array of tables the name is "upstream[].url"; the array's own value lists its tables.
struct KeyDoc {
  std::string key;
  std::string default_value;  // as TOML text
  std::string comment;
};

/// Visits keys. Each call names a dotted key, the variable (holding the default) and a sentence.
class Schema {
 public:
  /// `allowed` empty: any text; else one of these words.
  void text(std::string_view key, std::string& into, std::string_view comment,
            std::vector<std::string> allowed = {});
  void flag(std::string_view key, bool& into, std::string_view comment);
  /// A whole number.
  void count(std::string_view key, std::int64_t& into, std::string_view comment,
             CountRange range = {});
  void number(std::string_view key, double& into, std::string_view comment, NumberRange range = {});
  /// "512KiB", "2GiB", "10GB" or a bare number of bytes.
  void bytes(std::string_view key, std::uint64_t& into, std::string_view comment,
             CountRange range = {});
  /// "250ms", "10s", "5m", "2h".
  void duration(std::string_view key, std::chrono::milliseconds& into, std::string_view comment,
                CountRange range_ms = {});
  void texts(std::string_view key, std::vector<std::string>& into, std::string_view comment);
  template <class Item>
  void tables(std::string_view key, std::vector<Item>& into, void (*describe)(Schema&, Item&),
              std::string_view comment) {
    if (!documenting() && has(key)) into.clear();
    begin_tables(key, comment);
    Item sample;
    if (documenting()) {
      for (Item& item : into) {
        begin_value();
        describe(enter_table(0), item);
        end_value();
      }
      describe(enter_table(0), sample);
    }
    std::size_t n = table_count();
    for (std::size_t i = 0; i < n; ++i) {
      Item item;
      describe(enter_table(i), item);
      into.push_back(std::move(item));
    }
    end_tables();
  }
  /// Whether the file has this table or key (for optional tables such as [fleet]); true when
  /// keys are only listed.
  bool has(std::string_view key) const;
  /// Records an error at the key's place in the file (that of its table when it is absent). Of
  /// all errors the one that stands first in the file is reported. The message goes on after the
  /// key's full name: reject("edge.listen", "is empty; give at least one address").
  void reject(std::string_view key, std::string message);

  struct Impl;
  explicit Schema(Impl& impl) : impl_(impl) {}

 private:
  void begin_tables(std::string_view key, std::string_view comment);
  Schema& enter_table(std::size_t index);
  std::size_t table_count() const;
  void end_tables();
  void begin_value();
  void end_value();
  bool documenting() const;
  Impl& impl_;
};

namespace detail {
Result<void> load_settings(const std::string& path, const std::function<void(Schema&)>& visit);
Result<void> parse_settings(std::string_view text, const std::string& path,
                            const std::function<void(Schema&)>& visit);
std::vector<KeyDoc> document_settings(const std::function<void(Schema&)>& visit);
/// Both of one description.
std::vector<std::string> changed_keys(const std::vector<KeyDoc>& before,
                                      const std::vector<KeyDoc>& after);
}  // namespace detail

template <class Settings>
Result<Settings> load_settings(const std::string& path, void (*describe)(Schema&, Settings&)) {
  Settings settings;
  auto loaded = detail::load_settings(path, [&](Schema& schema) { describe(schema, settings); });
  if (!loaded) return std::unexpected(loaded.error());
  return settings;
}

/// The same from text in memory; `path` only names the source in errors. What the text does not say
/// stays as in `settings`.
template <class Settings>
Result<Settings> parse_settings(std::string_view text, const std::string& path,
                                void (*describe)(Schema&, Settings&), Settings settings = {}) {
  auto parsed =
      detail::parse_settings(text, path, [&](Schema& schema) { describe(schema, settings); });
  if (!parsed) return std::unexpected(parsed.error());
  return settings;
}

/// Every key with its value in `settings` (the default, when left out) and its comment.
template <class Settings>
std::vector<KeyDoc> document_settings(void (*describe)(Schema&, Settings&),
                                      Settings settings = {}) {
  return detail::document_settings([&](Schema& schema) { describe(schema, settings); });
}

/// Keys whose values differ, an array of tables as a whole ("upstream").
template <class Settings>
std::vector<std::string> changed_keys(void (*describe)(Schema&, Settings&), const Settings& before,
                                      const Settings& after) {
  return detail::changed_keys(document_settings(describe, before),
                              document_settings(describe, after));
}

}  // namespace relay
