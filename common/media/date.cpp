#include "common/media/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace relay::media {
namespace {

/// Takes what it reads off the front.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  std::optional<int> digits(std::size_t count) {
    int value = 0;
    if (left_.size() < count) return std::nullopt;
    for (char c : left_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    left_.remove_prefix(count);
    return value;
  }
  bool one_of(std::string_view characters) {
    if (left_.empty() || characters.find(left_.front()) == characters.npos) return false;
    last_ = left_.front();
    left_.remove_prefix(1);
    return true;
  }
  char last() const { return last_; }
  bool at_end() const { return left_.empty(); }
  bool at_digit() const { return !left_.empty() && left_.front() >= '0' && left_.front() <= '9'; }

 private:
  std::string_view left_;
  char last_ = 0;
};

std::optional<std::chrono::sys_days> read_day(Reader& from) {
  auto year = from.digits(4);
  if (!year || !from.one_of("-")) return std::nullopt;
  auto month = from.digits(2);
  if (!month || !from.one_of("-")) return std::nullopt;
  auto day = from.digits(2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

/// "02:50:31.48" in microseconds; a leap second counts as the one before it.
std::optional<std::int64_t> read_time(Reader& from) {
  auto hour = from.digits(2);
  if (!hour || *hour > 23 || !from.one_of(":")) return std::nullopt;
  auto minute = from.digits(2);
  if (!minute || *minute > 59 || !from.one_of(":")) return std::nullopt;
  auto second = from.digits(2);
  if (!second || *second > 60) return std::nullopt;
  std::int64_t us = ((*hour * 60 + *minute) * 60 + std::min(*second, 59)) * us_per_s;
  if (!from.one_of(".")) return us;
  if (!from.at_digit()) return std::nullopt;
  constexpr int digits_max = 9;
  std::int64_t unit = us_per_s / 10;
  for (int i = 0; i < digits_max && from.at_digit(); ++i, unit /= 10) us += *from.digits(1) * unit;
  return us;
}

/// "Z" or "+02:00", in minutes east of Greenwich.
std::optional<int> read_offset(Reader& from) {
  if (from.one_of("Zz")) return 0;
  if (!from.one_of("+-")) return std::nullopt;
  int sign = from.last() == '-' ? -1 : 1;
  auto hours = from.digits(2);
  if (!hours || *hours > 23 || !from.one_of(":")) return std::nullopt;
  auto minutes = from.digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::string date_text(std::int64_t unix_us) {
  std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(unix_us)};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<std::int64_t> read_date(std::string_view text) {
  Reader from(text);
  auto day = read_day(from);
  if (!day || !from.one_of("Tt ")) return std::nullopt;
  auto time = read_time(from);
  if (!time) return std::nullopt;
  auto offset = read_offset(from);
  if (!offset || !from.at_end()) return std::nullopt;
  std::int64_t us =
      std::chrono::microseconds(day->time_since_epoch()).count() + *time - *offset * 60 * us_per_s;
  if (us < 0) return std::nullopt;
  return us;
}

}  // namespace relay::media
