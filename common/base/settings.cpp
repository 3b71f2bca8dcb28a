#include "common/base/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

#include "common/base/limits.hpp"
#include "common/base/quantity.hpp"
#include "common/base/spelling.hpp"

namespace relay {
namespace {

/// A TOML basic string, safe to print: control characters are escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> each;
  for (const std::string& text : texts) each.push_back(quoted(text));
  return fmt::format("{}", fmt::join(each, ", "));
}

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  bool whole = text.find_first_not_of("-0123456789") == text.npos;
  return whole ? text + ".0" : text;
}

std::string_view type_word(const toml::node& node) {
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  if (node.is_string()) return "a text";
  if (node.is_integer()) return "a whole number";
  if (node.is_floating_point()) return "a number";
  if (node.is_boolean()) return "a boolean";
  return "a date or time";
}

}  // namespace

struct Schema::Impl {
  struct Problem {
    toml::source_position place;
    std::string message;
  };
  struct Scope {
    const toml::table* table;  // null: the file does not have it
    std::string path;          // "" or "upstream[]."
    std::vector<const toml::table*> items;
    std::string items_path;
  };

  const toml::table* root = nullptr;                    // null while documenting
  std::vector<Scope> scopes;                            // the innermost is where keys are looked up
  std::set<std::string, std::less<>> leaves, branches;  // known paths, with their ancestors
  std::vector<Problem> problems;
  std::vector<KeyDoc> docs;

  explicit Impl(const toml::table* file) : root(file) { scopes.push_back({file, "", {}, ""}); }

  void note(const toml::source_region& where, std::string message) {
    toml::source_position place = where.begin;
    if (place.line == 0) place = {1, 1};  // an implicit table stands nowhere
    problems.push_back({place, std::move(message)});
  }

  const toml::node* find(std::string_view key) const {
    const toml::node* node = scopes.back().table;
    while (node && !key.empty()) {
      std::size_t dot = std::min(key.find('.'), key.size());
      const toml::table* table = node->as_table();
      node = table ? table->get(key.substr(0, dot)) : nullptr;
      key.remove_prefix(std::min(dot + 1, key.size()));
    }
    return node;
  }

  std::string full(std::string_view key) const { return scopes.back().path + std::string(key); }

  /// Makes the key known; the node of the file, or null to keep the default.
  const toml::node* declare(std::string_view key, std::string_view comment,
                            const std::function<std::string()>& default_text) {
    std::string path = full(key);
    for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1)) {
      branches.insert(path.substr(0, dot));
    }
    leaves.insert(path);
    if (!root) {
      docs.push_back({path, default_text(), std::string(comment)});
      return nullptr;
    }
    return find(key);
  }

  void wrong_type(std::string_view key, const toml::node& node, std::string_view wanted) {
    note(node.source(), fmt::format("{} is {}; it must be {}", full(key), type_word(node), wanted));
  }

  void unknown(const toml::key& key, const std::string& path) {
    bool plain = path.find_first_of("\"\\\n\r\t") == path.npos;
    std::string shown = plain ? path : quoted(path);
    std::vector<std::string> known(leaves.begin(), leaves.end());
    known.insert(known.end(), branches.begin(), branches.end());
    std::string nearest = nearest_name(path, known);
    std::string hint = nearest.empty() ? "" : "; did you mean " + nearest + "?";
    note(key.source(), "unknown key " + shown + hint);
  }

  void find_unknown(const toml::table& table, const std::string& parent) {
    for (auto&& [key, node] : table) {
      std::string path = parent + std::string(key.str());
      if (leaves.contains(path)) {
        find_unknown_items(node, path);
      } else if (!branches.contains(path)) {
        unknown(key, path);
      } else if (const toml::table* inner = node.as_table()) {
        find_unknown(*inner, path + ".");
      } else {
        note(node.source(), fmt::format("{} is {}; it must be a table", path, type_word(node)));
      }
    }
  }

  void find_unknown_items(const toml::node& node, const std::string& path) {
    const toml::array* items = node.as_array();
    if (!items || !branches.contains(path + "[]")) return;
    for (const toml::node& item : *items) {
      if (const toml::table* table = item.as_table()) find_unknown(*table, path + "[].");
    }
  }

  const Problem* first_problem() const {
    auto before = [](const Problem& a, const Problem& b) {
      return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    };
    auto first = std::min_element(problems.begin(), problems.end(), before);
    return first == problems.end() ? nullptr : &*first;
  }
};

void Schema::text(std::string_view key, std::string& into, std::string_view comment,
                  std::vector<std::string> allowed) {
  const toml::node* node = impl_.declare(key, comment, [&] { return quoted(into); });
  if (!node) return;
  auto value = node->value_exact<std::string>();
  if (!value) return impl_.wrong_type(key, *node, "a text in quotes");
  if (!allowed.empty() && std::ranges::find(allowed, *value) == allowed.end()) {
    return reject(key, fmt::format("is {}; allowed are {}", quoted(*value), quoted_list(allowed)));
  }
  into = std::move(*value);
}

void Schema::flag(std::string_view key, bool& into, std::string_view comment) {
  const toml::node* node = impl_.declare(key, comment, [&] { return into ? "true" : "false"; });
  if (!node) return;
  auto value = node->value_exact<bool>();
  if (!value) return impl_.wrong_type(key, *node, "true or false");
  into = *value;
}

void Schema::count(std::string_view key, std::int64_t& into, std::string_view comment,
                   CountRange range) {
  const toml::node* node = impl_.declare(key, comment, [&] { return std::to_string(into); });
  if (!node) return;
  auto value = node->value_exact<std::int64_t>();
  if (!value) return impl_.wrong_type(key, *node, "a whole number");
  if (*value < range.least || *value > range.most) {
    std::string upper = range.most == INT64_MAX ? "up" : fmt::format("to {}", range.most);
    return reject(key, fmt::format("is {}; allowed are whole numbers from {} {}", *value,
                                   range.least, upper));
  }
  into = *value;
}

void Schema::number(std::string_view key, double& into, std::string_view comment,
                    NumberRange range) {
  const toml::node* node = impl_.declare(key, comment, [&] { return number_text(into); });
  if (!node) return;
  auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) return impl_.wrong_type(key, *node, "a number");
  // Written this way round so that "not a number" is outside.
  if (!(*value >= range.least && *value <= range.most)) {
    return reject(key, fmt::format("is {}; allowed are numbers from {} to {}", *value, range.least,
                                   range.most));
  }
  into = *value;
}

void Schema::bytes(std::string_view key, std::uint64_t& into, std::string_view comment,
                   CountRange range) {
  auto default_text = [&] { return quoted(bytes_to_text(static_cast<std::int64_t>(into))); };
  const toml::node* node = impl_.declare(key, comment, default_text);
  if (!node) return;
  auto value = node->value_exact<std::int64_t>();
  if (auto text = node->value_exact<std::string>()) {
    value = bytes_from_text(*text);
    if (!value) {
      return reject(key, fmt::format("is {}; write a whole number and a unit, as in \"512MiB\" "
                                     "(B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)",
                                     quoted(*text)));
    }
  }
  if (!value) return impl_.wrong_type(key, *node, "a size such as \"512MiB\"");
  std::int64_t least = std::max<std::int64_t>(range.least, 0);
  if (*value < least || *value > range.most) {
    std::string upper = range.most == INT64_MAX ? "up" : "to " + bytes_to_text(range.most);
    return reject(key, fmt::format("is {}; allowed are sizes from {} {}", bytes_to_text(*value),
                                   bytes_to_text(least), upper));
  }
  into = static_cast<std::uint64_t>(*value);
}

void Schema::duration(std::string_view key, std::chrono::milliseconds& into,
                      std::string_view comment, CountRange range_ms) {
  const toml::node* node =
      impl_.declare(key, comment, [&] { return quoted(duration_to_text(into)); });
  if (!node) return;
  auto text = node->value_exact<std::string>();
  if (!text) return impl_.wrong_type(key, *node, "a duration such as \"10s\"");
  auto value = duration_from_text(*text);
  if (!value) {
    return reject(key, fmt::format("is {}; write a whole number and a unit, as in \"250ms\" "
                                   "(ms, s, m, h, d)",
                                   quoted(*text)));
  }
  if (value->count() < range_ms.least || value->count() > range_ms.most) {
    auto shown = [](std::int64_t ms) { return duration_to_text(std::chrono::milliseconds(ms)); };
    std::string upper = range_ms.most == INT64_MAX ? "up" : "to " + shown(range_ms.most);
    return reject(key, fmt::format("is {}; allowed are durations from {} {}", quoted(*text),
                                   shown(range_ms.least), upper));
  }
  into = *value;
}

void Schema::texts(std::string_view key, std::vector<std::string>& into, std::string_view comment) {
  const toml::node* node =
      impl_.declare(key, comment, [&] { return "[" + quoted_list(into) + "]"; });
  if (!node) return;
  const toml::array* array = node->as_array();
  if (!array) return impl_.wrong_type(key, *node, "an array of texts, as in [\"a\", \"b\"]");
  std::vector<std::string> values;
  for (const toml::node& item : *array) {
    auto value = item.value_exact<std::string>();
    if (!value) return impl_.wrong_type(std::string(key) + "[]", item, "a text in quotes");
    values.push_back(std::move(*value));
  }
  into = std::move(values);
}

bool Schema::has(std::string_view key) const {
  return documenting() || impl_.find(key) != nullptr;
}

void Schema::reject(std::string_view key, std::string message) {
  if (documenting()) return;
  const toml::node* node = impl_.find(key);
  for (std::string_view at = key; !node && at.contains('.');) {
    at = at.substr(0, at.rfind('.'));
    node = impl_.find(at);
  }
  if (!node) node = impl_.scopes.back().table;
  impl_.note(node->source(), impl_.full(key) + " " + std::move(message));
}

void Schema::begin_tables(std::string_view key, std::string_view comment) {
  const toml::node* node = impl_.declare(key, comment, [] { return "[]"; });
  std::string path = impl_.full(key);
  impl_.branches.insert(path + "[]");
  Impl::Scope& outer = impl_.scopes.back();
  outer.items.clear();
  outer.items_path = path + "[].";
  if (node && !node->is_array()) {
    impl_.wrong_type(key, *node, fmt::format("an array of tables: [[{}]]", path));
  } else if (node) {
    for (const toml::node& item : *node->as_array()) {
      if (const toml::table* table = item.as_table()) {
        outer.items.push_back(table);
      } else {
        impl_.wrong_type(std::string(key) + "[]", item, "a table");
      }
    }
  }
  impl_.scopes.push_back({nullptr, outer.items_path, {}, ""});
}

Schema& Schema::enter_table(std::size_t index) {
  std::size_t outer = impl_.scopes.size() - 2;
  const auto& items = impl_.scopes[outer].items;
  impl_.scopes.back().table = index < items.size() ? items[index] : nullptr;
  return *this;
}

std::size_t Schema::table_count() const {
  return impl_.scopes[impl_.scopes.size() - 2].items.size();
}

void Schema::end_tables() {
  impl_.scopes.pop_back();
}

bool Schema::documenting() const {
  return impl_.root == nullptr;
}

namespace detail {

Result<void> load_settings(const std::string& path, const std::function<void(Schema&)>& visit) {
  std::string text(limits::settings_file_bytes_max + 1, '\0');
  errno = 0;  // the stream keeps no reason of its own
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    std::string reason = std::generic_category().message(errno ? errno : EIO);
    return bad_input(path + ": cannot be read: " + reason);
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > limits::settings_file_bytes_max) {
    return bad_input(path + ": is larger than " + bytes_to_text(limits::settings_file_bytes_max));
  }
  return parse_settings(text, path, visit);
}

Result<void> parse_settings(std::string_view text, const std::string& path,
                            const std::function<void(Schema&)>& visit) {
  auto failed = [&](const toml::source_position& place, std::string_view message) {
    return bad_input(fmt::format("{}:{}:{}: {}", path, place.line, place.column, message));
  };
  toml::table file;
  try {
    file = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return failed(error.source().begin, error.description());
  }
  Schema::Impl impl(&file);
  Schema schema(impl);
  visit(schema);
  impl.find_unknown(file, "");
  if (const auto* problem = impl.first_problem()) return failed(problem->place, problem->message);
  return {};
}

std::vector<KeyDoc> document_settings(const std::function<void(Schema&)>& visit) {
  Schema::Impl impl(nullptr);
  Schema schema(impl);
  visit(schema);
  return std::move(impl.docs);
}

}  // namespace detail

}  // namespace relay
