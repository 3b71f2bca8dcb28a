#include "common/http/date.hpp"

#include <array>

#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Reads from the front; the first thing that does not fit makes all that follows fail.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }

  void literal(std::string_view text) {
    good_ = good_ && same_name(rest_.substr(0, text.size()), text);
    if (good_) rest_.remove_prefix(text.size());
  }

  int number(std::size_t digits) {
    if (!good_ || rest_.size() < digits) return fail();
    int value = 0;
    for (char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  /// Two digits of a day of the month, the first of which may be a space (asctime).
  int padded_number() {
    if (!good_ || !rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }

  int month() {
    for (std::size_t i = 0; good_ && i < months.size(); ++i) {
      if (!same_name(rest_.substr(0, 3), months[i])) continue;
      rest_.remove_prefix(3);
      return static_cast<int>(i) + 1;
    }
    return fail();
  }

  /// Three letters of a day's name, or the whole of it.
  void day_name(bool whole) {
    for (std::string_view day : days) {
      std::string_view name = whole ? day : day.substr(0, 3);
      if (!good_ || !same_name(rest_.substr(0, name.size()), name)) continue;
      rest_.remove_prefix(name.size());
      return;
    }
    fail();
  }

  Seconds time_of_day() {
    int hour = number(2);
    literal(":");
    int minute = number(2);
    literal(":");
    int second = number(2);
    if (hour > 23 || minute > 59 || second > 60) fail();
    return Seconds(hour * 3600 + minute * 60 + second);
  }

 private:
  int fail() {
    good_ = false;
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

std::optional<DateTime> moment(const Reader& reader, int year, int month, int day, Seconds time) {
  using namespace std::chrono;
  if (!reader.finished()) return std::nullopt;
  year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                      std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date) + time;
}

std::optional<DateTime> read_imf(std::string_view text) {
  Reader reader(text);
  reader.day_name(false);
  reader.literal(", ");
  int day = reader.number(2);
  reader.literal(" ");
  int month = reader.month();
  reader.literal(" ");
  int year = reader.number(4);
  reader.literal(" ");
  Seconds time = reader.time_of_day();
  reader.literal(" GMT");
  return moment(reader, year, month, day, time);
}

std::optional<DateTime> read_rfc850(std::string_view text) {
  Reader reader(text);
  reader.day_name(true);
  reader.literal(", ");
  int day = reader.number(2);
  reader.literal("-");
  int month = reader.month();
  reader.literal("-");
  int year = reader.number(2);
  reader.literal(" ");
  Seconds time = reader.time_of_day();
  reader.literal(" GMT");
  return moment(reader, year + (year < 70 ? 2000 : 1900), month, day, time);
}

std::optional<DateTime> read_asctime(std::string_view text) {
  Reader reader(text);
  reader.day_name(false);
  reader.literal(" ");
  int month = reader.month();
  reader.literal(" ");
  int day = reader.padded_number();
  reader.literal(" ");
  Seconds time = reader.time_of_day();
  reader.literal(" ");
  int year = reader.number(4);
  return moment(reader, year, month, day, time);
}

void put_digits(char* at, int value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<DateTime> read_date(std::string_view text) {
  if (text.size() < 24) return std::nullopt;
  if (text[3] == ',') return read_imf(text);
  return text[3] == ' ' ? read_asctime(text) : read_rfc850(text);
}

std::string write_date(DateTime moment) {
  using namespace std::chrono;
  auto day_start = floor<std::chrono::days>(moment);
  year_month_day date(day_start);
  auto second = static_cast<int>((moment - day_start).count());
  std::string text = "Sun, 06 Nov 1994 08:49:37 GMT";
  days[weekday(day_start).c_encoding()].copy(text.data(), 3);
  put_digits(&text[5], static_cast<int>(static_cast<unsigned>(date.day())), 2);
  months[static_cast<unsigned>(date.month()) - 1].copy(&text[8], 3);
  put_digits(&text[12], static_cast<int>(date.year()), 4);
  put_digits(&text[17], second / 3600, 2);
  put_digits(&text[20], second / 60 % 60, 2);
  put_digits(&text[23], second % 60, 2);
  return text;
}

}  // namespace relay::http
