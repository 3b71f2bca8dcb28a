#include "common/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <mutex>

#include "common/base/clock.hpp"

namespace relay::log {
namespace {

struct Output {
  std::string program = "relay";
  Format format = Format::text;
  std::shared_ptr<spdlog::logger> logger;
};

/// A line below this costs one relaxed load and no lock.
std::atomic<Level> lowest_level{Level::info};

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view word(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

std::shared_ptr<spdlog::logger> make_logger() {
  // The sink's lock keeps lines of several threads whole.
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("relay", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::debug);
  return logger;
}

/// Replaced as a whole by configure(), so that a reload never shows half of it.
std::mutex output_lock;  // guards current_output

std::shared_ptr<const Output>& current_output() {
  static std::shared_ptr<const Output> output =
      std::make_shared<const Output>(Output{.logger = make_logger()});
  return output;
}

std::shared_ptr<const Output> output() {
  std::lock_guard guard(output_lock);
  return current_output();
}

/// Quotes, backslashes and control characters become escapes: a value can never forge a line.
void append_escaped(std::string& line, std::string_view text) {
  line += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte);
    } else {
      line += c;
    }
  }
  line += '"';
}

bool is_plain(std::string_view text) {
  for (char c : text) {
    bool plain = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    if (!plain) return false;
  }
  return !text.empty();
}

/// JSON has no word for infinity or "not a number", and a char is a text there.
bool is_bare_json(std::string_view text) {
  return text == "true" || text == "false" ||
         (!text.empty() && text.find_first_not_of("0123456789+-.e") == text.npos &&
          text.find_first_of("0123456789") != text.npos);
}

std::string time_text(WallTime now) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  auto day = std::chrono::floor<std::chrono::days>(now);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(seconds - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), (now - seconds).count());
}

void append_text(std::string& line, std::string_view key, std::string_view value) {
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  if (is_plain(value)) {
    line += value;
  } else {
    append_escaped(line, value);
  }
}

void append_json(std::string& line, std::string_view key, std::string_view value, bool quoted) {
  line += line.empty() ? '{' : ',';
  append_escaped(line, key);
  line += ':';
  if (!quoted && is_bare_json(value)) {
    line += value;
  } else {
    append_escaped(line, value);
  }
}

}  // namespace

void configure(std::string_view program, Level lowest, Format format) {
  auto next = std::make_shared<Output>(
      Output{.program = std::string(program), .format = format, .logger = make_logger()});
  std::lock_guard guard(output_lock);
  current_output() = std::move(next);
  lowest_level.store(lowest, std::memory_order_relaxed);
}

void configure(std::string_view program, std::string_view lowest, std::string_view format) {
  Level level = lowest == "debug"   ? Level::debug
                : lowest == "warn"  ? Level::warn
                : lowest == "error" ? Level::error
                                    : Level::info;
  configure(program, level, format == "json" ? Format::json : Format::text);
}

void write(Level level, std::string_view event, std::initializer_list<Pair> pairs) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  auto to = output();
  std::string line;
  auto append = [&](std::string_view key, std::string_view value, bool quoted) {
    if (to->format == Format::json) {
      append_json(line, key, value, quoted);
    } else {
      append_text(line, key, value);
    }
  };
  append("time", time_text(wall_now()), true);
  append("level", word(level), true);
  append("program", to->program, true);
  append("event", event, true);
  for (const Pair& pair : pairs) append(pair.key, pair.value, pair.quoted);
  if (to->format == Format::json) line += '}';
  to->logger->log(level_of(level), "{}", line);
}

}  // namespace relay::log
