// A record: 4 bytes length, 8 number, 16 of the XXH3-128 of both and of what follows, all
// little-endian; then its bytes.
#include "common/store/redo_log.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/hash.hpp"

namespace relay::store {
namespace {

constexpr std::size_t head_bytes = 4 + 8 + 16;

void add(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (; bytes > 0; --bytes, value >>= 8) to += static_cast<char>(value);
}

std::uint64_t number_at(std::string_view from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (; bytes > 0; --bytes) value = value << 8 | static_cast<unsigned char>(from[bytes - 1]);
  return value;
}

std::string form_of(std::uint64_t number, std::string_view bytes) {
  std::string told;
  add(told, bytes.size(), 4);
  add(told, number, 8);
  Digest128 digest = digest128(told + std::string(bytes));
  add(told, digest.low, 8);
  add(told, digest.high, 8);
  return told.append(bytes);
}

/// What stands at a place, if it is a record.
struct Claim {
  std::uint64_t number;
  std::string_view bytes;
};

std::optional<Claim> claim_at(std::string_view text) {
  if (text.size() < head_bytes) return std::nullopt;
  std::size_t length = number_at(text, 4);
  if (length > text.size() - head_bytes) return std::nullopt;
  return Claim{number_at(text.substr(4), 8), text.substr(head_bytes, length)};
}

bool is_whole(std::string_view text, const Claim& claim) {
  return text.starts_with(form_of(claim.number, claim.bytes));
}

}  // namespace

Result<RedoLog::Opened> RedoLog::open(const std::filesystem::path& path, std::size_t size_bytes) {
  auto file = open_write(path);
  if (!file && file.error().kind == ErrorKind::not_found) {
    auto made = write_atomically(path, std::string(size_bytes, '\0'));
    if (!made) return std::unexpected(made.error());
    file = open_write(path);
  }
  if (!file) return std::unexpected(file.error());
  auto size = size_of(file->get());
  if (!size) return std::unexpected(size.error());
  if (*size != size_bytes) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, path.string() + " has another size");
  }
  Opened opened{RedoLog(std::move(*file), size_bytes), {}};
  auto records = opened.log.read();
  if (!records) return std::unexpected(records.error());
  opened.records = std::move(*records);
  return opened;
}

Result<std::vector<RedoLog::Record>> RedoLog::read() {
  auto text = read_exactly(file_.get(), 0, size_bytes_);
  if (!text) return fail(ErrorKind::corrupt, ErrorSource::disk, text.error().message);
  std::vector<Record> records;
  std::string_view rest = *text;
  while (auto next = claim_at(rest)) {
    if (records.empty() ? next->number == 0 : next->number != last_ + 1) break;
    std::string_view behind = rest.substr(head_bytes + next->bytes.size());
    if (!is_whole(rest, *next)) {
      // Appends follow each other: only the last one can be unfinished.
      auto later = claim_at(behind);
      if (later && later->number == next->number + 1 && is_whole(behind, *later))
        return fail(ErrorKind::corrupt, ErrorSource::disk, "a record before the last is damaged");
      break;
    }
    records.push_back({next->number, std::string(next->bytes)});
    last_ = next->number;
    end_ += rest.size() - behind.size();
    rest = behind;
  }
  return records;
}

bool RedoLog::takes(std::size_t bytes) const {
  return !failed_ && head_bytes + bytes <= size_bytes_ - end_;
}

Result<void> RedoLog::append(std::string_view record) {
  RELAY_CHECK(takes(record.size()));
  std::string form = form_of(last_ + 1, record);
  auto kept = write_all_at(file_.get(), form, end_);
  if (kept) kept = sync_data(file_.get());
  ++last_;  // also of one that failed: it may be on disk all the same
  failed_ = !kept;
  if (kept) end_ += form.size();
  return kept;
}

void RedoLog::clear() {
  failed_ = false;
  end_ = 0;
}

void RedoLog::go_on_from(std::uint64_t number) {
  last_ = std::max(last_, number);
}

}  // namespace relay::store
