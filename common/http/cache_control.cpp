#include "common/http/cache_control.hpp"

#include <algorithm>
#include <array>

#include "common/http/structured_field.hpp"
#include "common/http/surrogate_control.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

constexpr Seconds longest{std::int64_t{1} << 31};  // RFC 9111 1.2.2
constexpr std::array<std::string_view, 2> targeted_fields = {"Torchrelay-CDN-Cache-Control",
                                                             "CDN-Cache-Control"};

/// One directive: `name`, `name=token` or `name="quoted"`. "max-age =3" is malformed, but it is
/// plain what it means to be about.
struct Directive {
  std::string_view name;
  std::optional<std::string> argument;
  bool malformed = false;
};

Directive read_directive(std::string_view element) {
  std::size_t equals = element.find('=');
  if (equals == std::string_view::npos) return {element, std::nullopt};
  std::string_view argument = element.substr(equals + 1), name = trim(element.substr(0, equals));
  auto unquoted = unquote(argument);
  return {name, unquoted ? std::move(*unquoted) : std::string(argument), name.size() != equals};
}

bool is(const Directive& directive, std::string_view name) {
  return same_name(directive.name, name);
}

std::optional<Seconds> read_delta(const Directive& directive) {
  if (!directive.argument || directive.malformed) return std::nullopt;
  return read_delta_seconds(*directive.argument);
}

void take_first(std::optional<Seconds>& into, std::optional<Seconds> value) {
  if (!into) into = value;
}

void add_names(std::vector<std::string>& into, std::string_view list) {
  while (auto name = next_element(list)) into.emplace_back(*name);
}

/// `name` alone sets the flag, with field names it names these only.
void take_named(bool& flag, std::vector<std::string>& fields, const Directive& directive) {
  std::size_t before = fields.size();
  if (directive.argument) add_names(fields, *directive.argument);
  if (fields.size() == before) flag = true;
}

void take(ResponseDirectives& into, const Directive& d) {
  if (is(d, "max-age")) {
    take_first(into.max_age, read_delta(d).value_or(Seconds(0)));
  } else if (is(d, "s-maxage")) {
    take_first(into.s_maxage, read_delta(d).value_or(Seconds(0)));
  } else if (is(d, "stale-while-revalidate")) {
    take_first(into.stale_while_revalidate, read_delta(d));
  } else if (is(d, "stale-if-error")) {
    take_first(into.stale_if_error, read_delta(d));
  } else if (is(d, "no-cache")) {
    take_named(into.no_cache, into.no_cache_fields, d);
  } else if (is(d, "private")) {
    take_named(into.private_, into.private_fields, d);
  } else if (is(d, "no-store")) {
    into.no_store = true;
  } else if (is(d, "public")) {
    into.public_ = true;
  } else if (is(d, "must-revalidate")) {
    into.must_revalidate = true;
  } else if (is(d, "proxy-revalidate")) {
    into.proxy_revalidate = true;
  } else if (is(d, "must-understand")) {
    into.must_understand = true;
  } else if (is(d, "immutable")) {
    into.immutable = true;
  } else if (is(d, "no-transform")) {
    into.no_transform = true;
  }
}

/// A member of a targeted field as a directive; nullopt when its type fits none.
std::optional<Directive> directive_of(const structured::Entry& entry) {
  const auto* item = std::get_if<structured::Item>(&entry.value);
  if (!item) return std::nullopt;
  if (const auto* number = std::get_if<std::int64_t>(&item->value)) {
    return Directive{entry.key, std::to_string(*number)};
  }
  if (const auto* text = std::get_if<std::string>(&item->value)) {
    return Directive{entry.key, *text};
  }
  if (const auto* token = std::get_if<structured::Token>(&item->value)) {
    return Directive{entry.key, token->text};
  }
  if (std::holds_alternative<bool>(item->value)) return Directive{entry.key, std::nullopt};
  return std::nullopt;
}

bool is_delta_name(std::string_view name) {
  return name == "max-age" || name == "s-maxage" || name == "stale-while-revalidate" ||
         name == "stale-if-error";
}

bool is_false(const structured::Entry& entry) {
  const auto* item = std::get_if<structured::Item>(&entry.value);
  return item && item->value == structured::BareItem(false);
}

/// nullopt: absent, empty, no dictionary, or a time that is no integer; the field is ignored.
std::optional<ResponseDirectives> read_targeted(Fields response, std::string_view name) {
  if (!find(response, name)) return std::nullopt;
  auto dictionary = structured::read_dictionary(joined(response, name));
  if (!dictionary || dictionary->empty()) return std::nullopt;
  ResponseDirectives directives;
  directives.targeted = true;
  for (const structured::Entry& entry : *dictionary) {
    if (is_delta_name(entry.key)) {
      const auto* number = structured::find_value<std::int64_t>(*dictionary, entry.key);
      if (!number || *number < 0) return std::nullopt;
    }
    if (is_false(entry)) continue;
    if (auto directive = directive_of(entry)) take(directives, *directive);
  }
  return directives;
}

void read_expires(Fields response, ResponseDirectives& into) {
  auto text = find(response, "Expires");
  if (!text) return;
  if (count(response, "Expires") == 1) into.expires = read_date(*text);
  into.expired = !into.expires;
}

void take(RequestDirectives& into, const Directive& d) {
  if (is(d, "no-cache")) {
    into.no_cache = true;
  } else if (is(d, "no-store")) {
    into.no_store = true;
  } else if (is(d, "only-if-cached")) {
    into.only_if_cached = true;
  } else if (is(d, "no-transform")) {
    into.no_transform = true;
  } else if (is(d, "max-age")) {
    take_first(into.max_age, read_delta(d));
  } else if (is(d, "min-fresh")) {
    take_first(into.min_fresh, read_delta(d));
  } else if (is(d, "max-stale")) {
    take_first(into.max_stale, d.argument ? read_delta(d) : Seconds::max());
  }
}

template <class Directives>
void read_cache_control(Fields fields, Directives& into) {
  for (const Field& field : fields) {
    if (!same_name(field.name, "Cache-Control")) continue;
    std::string_view rest = field.value;
    while (auto element = next_element(rest)) take(into, read_directive(*element));
  }
}

}  // namespace

std::optional<Seconds> read_delta_seconds(std::string_view digits) {
  if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  auto value = read_decimal(digits);
  if (!value || *value > static_cast<std::uint64_t>(longest.count())) return longest;
  return Seconds(static_cast<std::int64_t>(*value));
}

ResponseDirectives read_response_directives(Fields response) {
  for (std::string_view name : targeted_fields) {
    if (auto targeted = read_targeted(response, name)) return *std::move(targeted);
  }
  if (auto surrogate = read_surrogate_control(response)) return *std::move(surrogate);
  ResponseDirectives directives;
  read_cache_control(response, directives);
  read_expires(response, directives);
  return directives;
}

RequestDirectives read_request_directives(Fields request) {
  RequestDirectives directives;
  read_cache_control(request, directives);
  if (!find(request, "Cache-Control")) {
    auto pragma = find(request, "Pragma");
    directives.no_cache = pragma && has_element(*pragma, "no-cache");
  }
  return directives;
}

std::optional<Seconds> read_age(Fields response) {
  auto text = find(response, "Age");
  if (!text) return std::nullopt;
  std::string_view first = text->substr(0, text->find(','));
  return read_delta_seconds(trim(first.substr(0, first.find(';'))));
}

}  // namespace relay::http
