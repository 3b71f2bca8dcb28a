#include "common/http/negotiate.hpp"

#include <algorithm>
#include <vector>

#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

constexpr int weight_max = 1000;

/// "0.8" as thousandths (RFC 9110 12.4.2); nullopt when malformed.
std::optional<int> read_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = (text[0] - '0') * weight_max;
  int unit = weight_max / 10;
  for (char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight <= weight_max ? std::optional(weight) : std::nullopt;
}

/// One element of an Accept list: what, and how much. A malformed weight counts as 0.
struct Wish {
  std::string_view what;
  int weight = weight_max;
};

Wish read_wish(std::string_view element) {
  Wish wish{next_element(element, ';').value_or("")};
  while (auto parameter = next_element(element, ';')) {
    if (parameter->size() < 2 || lower((*parameter)[0]) != 'q' || (*parameter)[1] != '=') continue;
    wish.weight = read_weight(parameter->substr(2)).value_or(0);
  }
  return wish;
}

/// The weight of what is named outright; nullopt when it is not named.
std::optional<int> weight_of(std::string_view list, std::string_view what) {
  while (auto element = next_element(list)) {
    Wish wish = read_wish(*element);
    if (same_name(wish.what, what)) return wish.weight;
  }
  return std::nullopt;
}

int weight_of(std::string_view accept, PhotoFormat format) {
  auto named = weight_of(accept, media_type(format));
  if (named || format != PhotoFormat::jpg) return named.value_or(0);
  auto images = weight_of(accept, "image/*");
  return images ? *images : weight_of(accept, "*/*").value_or(0);
}

/// An element in its one spelling, without its weight.
struct Preference {
  std::string what;
  int weight = weight_max;
  bool operator==(const Preference&) const = default;
};

Preference read_preference(std::string_view element) {
  Preference read;
  std::string_view name = next_element(element, ';').value_or("");
  for (char c : name) read.what += lower(c);
  while (auto parameter = next_element(element, ';')) {
    bool weight = parameter->size() > 1 && lower((*parameter)[0]) == 'q' && (*parameter)[1] == '=';
    if (weight) {
      read.weight = read_weight(parameter->substr(2)).value_or(0);
    } else {
      (read.what += ';') += *parameter;
    }
  }
  return read;
}

/// The most wanted first, equals in alphabetical order, each once.
std::vector<Preference> read_preferences(std::string_view list) {
  std::vector<Preference> wishes;
  while (auto element = next_element(list)) wishes.push_back(read_preference(*element));
  std::ranges::sort(wishes, [](const Preference& a, const Preference& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.what < b.what;
  });
  auto repeated = std::ranges::unique(wishes);
  wishes.erase(repeated.begin(), repeated.end());
  return wishes;
}

void append_weight(std::string& text, int weight) {
  if (weight == weight_max) return;
  std::string thousandths = std::to_string(weight_max + weight).substr(1);
  thousandths.erase(thousandths.find_last_not_of('0') + 1);
  text += thousandths.empty() ? ";q=0" : ";q=0." + thousandths;
}

}  // namespace

std::string_view extension(PhotoFormat format) {
  switch (format) {
    case PhotoFormat::avif:
      return "avif";
    case PhotoFormat::webp:
      return "webp";
    case PhotoFormat::jpg:
      break;
  }
  return "jpg";
}

std::string_view media_type(PhotoFormat format) {
  switch (format) {
    case PhotoFormat::avif:
      return "image/avif";
    case PhotoFormat::webp:
      return "image/webp";
    case PhotoFormat::jpg:
      break;
  }
  return "image/jpeg";
}

PhotoFormat choose_photo_format(std::string_view accept, std::span<const PhotoFormat> offered) {
  PhotoFormat best = PhotoFormat::jpg;
  int best_weight = 0;
  for (PhotoFormat format : {PhotoFormat::avif, PhotoFormat::webp, PhotoFormat::jpg}) {
    if (std::ranges::find(offered, format) == offered.end()) continue;
    int weight = weight_of(accept, format);
    if (weight <= best_weight) continue;
    best = format;
    best_weight = weight;
  }
  return best;
}

std::string normal_preferences(std::string_view list) {
  std::string text;
  for (const Preference& wish : read_preferences(list)) {
    if (!text.empty()) text += ',';
    text += wish.what;
    append_weight(text, wish.weight);
  }
  return text;
}

std::string favourite(std::string_view list) {
  auto wishes = read_preferences(list);
  if (wishes.empty() || wishes[0].weight == 0 || wishes[0].what == "*") return {};
  bool alone = wishes.size() == 1 || wishes[1].weight < wishes[0].weight;
  return alone ? wishes[0].what : std::string();
}

Coding choose_coding(std::optional<std::string_view> accept_encoding) {
  if (!accept_encoding) return Coding::identity;
  auto gzip = weight_of(*accept_encoding, "gzip");
  if (!gzip) gzip = weight_of(*accept_encoding, "x-gzip");
  if (!gzip) gzip = weight_of(*accept_encoding, "*");
  if (gzip.value_or(0) == 0) return Coding::identity;
  auto plain = weight_of(*accept_encoding, "identity");
  return plain.value_or(0) > *gzip ? Coding::identity : Coding::gzip;
}

}  // namespace relay::http
