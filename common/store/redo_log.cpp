// A frame, all numbers little-endian: "TRL2", 4 bytes place, 8 number of the record (0: none yet),
// 4 bytes of the record, 4 which part of it, 16 of the XXH3-128 of all else; then the part, with
// zeros behind it.
#include "common/store/redo_log.hpp"

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/hash.hpp"

namespace relay::store {

struct RedoLog::Frame {
  std::uint64_t number = 0;
  std::size_t record_bytes = 0, part = 0;
  std::string_view bytes;
};

namespace {

constexpr std::string_view log_version = "TRL2";
constexpr std::size_t frame_bytes = 512;
constexpr std::size_t told_bytes = 4 + 4 + 8 + 4 + 4;
constexpr std::size_t head_bytes = told_bytes + 16;
constexpr std::size_t part_bytes = frame_bytes - head_bytes;

void add(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (; bytes > 0; --bytes, value >>= 8) to += static_cast<char>(value);
}

std::uint64_t number_at(std::string_view from, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (; bytes > 0; --bytes) value = value << 8 | static_cast<unsigned char>(from[at + bytes - 1]);
  return value;
}

std::size_t frames_for(std::size_t record_bytes) {
  return std::max<std::size_t>(1, (record_bytes + part_bytes - 1) / part_bytes);
}

/// `told`: what stands before the checksum.
std::string form_of(const std::string& told, std::string_view part) {
  std::string rest(part);
  rest.resize(part_bytes);
  Digest128 digest = digest128(told + rest);
  std::string form = told;
  add(form, digest.low, 8);
  add(form, digest.high, 8);
  return form + rest;
}

std::string form_of(std::size_t place, std::uint64_t number, std::string_view record,
                    std::size_t part) {
  std::string told(log_version);
  add(told, place, 4);
  add(told, number, 8);
  add(told, record.size(), 4);
  add(told, part, 4);
  return form_of(told, record.substr(part * part_bytes, part_bytes));
}

std::string empty_form(std::size_t frames) {
  std::string form;
  for (std::size_t place = 0; place < frames; ++place) form += form_of(place, 0, {}, 0);
  return form;
}

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorKind::corrupt, ErrorSource::disk, std::move(what));
}

}  // namespace

RedoLog::Frames RedoLog::frames_of(std::string_view text) {
  Frames frames;
  for (std::size_t place = 0; place < text.size() / frame_bytes; ++place) {
    std::string_view form = text.substr(place * frame_bytes, frame_bytes);
    Frame frame{number_at(form, 8, 8), number_at(form, 16, 4), number_at(form, 20, 4), {}};
    bool right = form.starts_with(log_version) && number_at(form, 4, 4) == place &&
                 form == form_of(std::string(form.substr(0, told_bytes)), form.substr(head_bytes));
    std::size_t before = std::min(frame.part * part_bytes, frame.record_bytes);
    frame.bytes = form.substr(head_bytes, std::min(part_bytes, frame.record_bytes - before));
    frames.push_back(right ? std::optional(frame) : std::nullopt);
  }
  return frames;
}

Result<RedoLog::Opened> RedoLog::open(const std::filesystem::path& path, std::size_t size_bytes,
                                      std::uint64_t taken) {
  RELAY_CHECK(size_bytes % frame_bytes == 0);
  auto file = open_write(path);
  if (!file && file.error().kind == ErrorKind::not_found) {
    auto made = write_atomically(path, empty_form(size_bytes / frame_bytes));
    if (!made) return std::unexpected(made.error());
    file = open_write(path);
  }
  if (!file) return std::unexpected(file.error());
  auto size = size_of(file->get());
  if (!size) return std::unexpected(size.error());
  if (*size != size_bytes) return damaged(path.string() + " has another size");
  Opened opened{RedoLog(std::move(*file), size_bytes, taken), {}};
  auto records = opened.log.read();
  if (!records) return fail_for("cannot open " + path.string(), records.error());
  opened.records = std::move(*records);
  return opened;
}

Result<std::vector<RedoLog::Record>> RedoLog::read() {
  auto text = read_exactly(file_.get(), 0, size_bytes_);
  if (!text) return std::unexpected(text.error());
  Frames frames = frames_of(*text);
  std::vector<Record> records;
  std::uint64_t next = taken_ + 1;
  for (;; ++next) {
    auto record = record_at(frames, end_, next);
    if (!record) return std::unexpected(record.error());
    if (!*record) break;
    end_ += frames_for((*record)->size());
    records.push_back({next, std::move(**record)});
  }
  last_ = next - 1;
  for (const auto& frame : frames) last_ = std::max(last_, frame ? frame->number : 0);
  // Appends follow each other: only the last one can be unfinished.
  if (last_ > next) return damaged("records of the log before its last one are missing");
  failed_ = last_ == next;
  return records;
}

/// Nothing: it was never written in full.
Result<std::optional<std::string>> RedoLog::record_at(const Frames& frames, std::size_t at,
                                                      std::uint64_t number) {
  std::string bytes;
  std::size_t count = 1;
  for (std::size_t part = 0; part < count; ++part) {
    if (at + part == frames.size()) return std::nullopt;
    const auto& frame = frames[at + part];
    if (!frame) return damaged("a record of the log is damaged");
    if (frame->number < number) return std::nullopt;
    if (part == 0) count = frames_for(frame->record_bytes);
    if (frame->number != number || frame->part != part) {
      return damaged("a record of the log is missing");
    }
    bytes += frame->bytes;
  }
  return bytes;
}

bool RedoLog::takes(std::size_t bytes) const {
  return !failed_ && end_ + frames_for(bytes) <= size_bytes_ / frame_bytes;
}

Result<void> RedoLog::append(std::string_view record) {
  RELAY_CHECK(takes(record.size()));
  std::string form;
  std::size_t count = frames_for(record.size());
  for (std::size_t part = 0; part < count; ++part) {
    form += form_of(end_ + part, last_ + 1, record, part);
  }
  auto kept = write_all_at(file_.get(), form, end_ * frame_bytes);
  if (kept) kept = sync_data(file_.get());
  ++last_;  // also of one that failed: it may be on disk all the same
  failed_ = !kept;
  if (kept) end_ += count;
  return kept;
}

void RedoLog::clear() {
  failed_ = false;
  end_ = 0;
  taken_ = last_;
}

std::size_t RedoLog::used_bytes() const {
  return end_ * frame_bytes;
}

}  // namespace relay::store
