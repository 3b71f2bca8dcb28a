#include "transcoder/nal.hpp"

#include <algorithm>
#include <cstring>

namespace relay::transcoder {

namespace {

// The place of the next 00 00 01 at or behind `from`; the size when there is none.
std::size_t find_start(BytesView stream, std::size_t from) {
  while (from + 3 <= stream.size()) {
    const void* hit = std::memchr(stream.data() + from + 2, 1, stream.size() - from - 2);
    if (!hit) break;
    auto one = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - stream.data());
    if (stream[one - 1] == 0 && stream[one - 2] == 0) return one - 2;
    from = one - 1;
  }
  return stream.size();
}

// A unit never ends with zeros (H.264 7.4.1); what stands there was put behind it, by a start code
// of four bytes that a muxer took for three, say.
BytesView without_zeros_behind(BytesView unit) {
  while (!unit.empty() && unit.back() == 0) unit = unit.first(unit.size() - 1);
  return unit;
}

bool read_sets(BytesView record, std::size_t& at, int count, std::vector<BytesView>& sets) {
  for (int i = 0; i < count; ++i) {
    if (at + 2 > record.size()) return false;
    std::size_t length = static_cast<std::size_t>(record[at] << 8 | record[at + 1]);
    at += 2;
    if (length == 0 || at + length > record.size()) return false;
    sets.push_back(without_zeros_behind(record.subspan(at, length)));
    at += length;
  }
  return true;
}

void append_set(Bytes& record, BytesView set) {
  record.push_back(static_cast<std::uint8_t>(set.size() >> 8));
  record.push_back(static_cast<std::uint8_t>(set.size()));
  record.insert(record.end(), set.begin(), set.end());
}

std::vector<BytesView> unique_of_type(const std::vector<BytesView>& units, int type) {
  std::vector<BytesView> found;
  for (BytesView unit : units) {
    bool known = std::ranges::any_of(
        found, [&](BytesView other) { return std::ranges::equal(other, unit); });
    if (unit_type(unit) == type && !known && unit.size() <= 0xFFFF) found.push_back(unit);
  }
  return found;
}

}  // namespace

std::vector<BytesView> split_annex_b(BytesView stream) {
  std::vector<BytesView> units;
  std::size_t start = find_start(stream, 0);
  while (start < stream.size()) {
    std::size_t begin = start + 3;
    start = find_start(stream, begin);
    BytesView unit = without_zeros_behind(stream.subspan(begin, start - begin));
    if (!unit.empty()) units.push_back(unit);
  }
  return units;
}

std::optional<std::vector<BytesView>> split_lengths(BytesView data, int length_bytes) {
  std::vector<BytesView> units;
  auto prefix = static_cast<std::size_t>(length_bytes);
  while (!data.empty()) {
    if (data.size() < prefix) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | data[i];
    if (length > data.size() - prefix) return std::nullopt;
    BytesView unit = without_zeros_behind(data.subspan(prefix, length));
    if (!unit.empty()) units.push_back(unit);
    data = data.subspan(prefix + length);
  }
  return units;
}

std::optional<Bytes> make_avcc(const std::vector<BytesView>& units) {
  std::vector<BytesView> sequence = unique_of_type(units, unit_sequence_set);
  std::vector<BytesView> picture = unique_of_type(units, unit_picture_set);
  if (sequence.empty() || picture.empty() || sequence[0].size() < 4 || sequence.size() > 31 ||
      picture.size() > 255)
    return std::nullopt;
  Bytes record = {1,
                  sequence[0][1],
                  sequence[0][2],
                  sequence[0][3],
                  0xFF,
                  static_cast<std::uint8_t>(0xE0 | sequence.size())};
  for (BytesView set : sequence) append_set(record, set);
  record.push_back(static_cast<std::uint8_t>(picture.size()));
  for (BytesView set : picture) append_set(record, set);
  std::uint8_t profile = sequence[0][1];
  if (profile != 66 && profile != 77 && profile != 88)
    record.insert(record.end(), {0xFD, 0xF8, 0xF8, 0});  // 4:2:0, 8 bit, no extensions
  return record;
}

std::optional<AvccView> read_avcc(BytesView record) {
  if (record.size() < 7 || record[0] != 1) return std::nullopt;
  AvccView view;
  view.length_bytes = (record[4] & 3) + 1;
  std::size_t at = 6;
  if (view.length_bytes == 3 || !read_sets(record, at, record[5] & 0x1F, view.sequence_sets))
    return std::nullopt;
  if (at >= record.size()) return std::nullopt;
  int count = record[at++];
  if (!read_sets(record, at, count, view.picture_sets)) return std::nullopt;
  return view;
}

// An Exp-Golomb code (9.1) of at most 8 bits behind its zeros. So near to the front nothing is
// escaped: the profile and the level before it are not 0.
std::optional<int> set_id(BytesView unit) {
  constexpr int zeros_max = 8;
  bool is_sequence = unit_type(unit) == unit_sequence_set;
  if (!is_sequence && unit_type(unit) != unit_picture_set) return std::nullopt;
  BytesView bits = unit.subspan(std::min<std::size_t>(is_sequence ? 4 : 1, unit.size()));
  auto bit = [&](std::size_t i) { return bits[i / 8] >> (7 - i % 8) & 1; };
  std::size_t zeros = 0;
  while (zeros < 8 * bits.size() && bit(zeros) == 0) ++zeros;
  if (zeros > zeros_max || 2 * zeros + 1 > 8 * bits.size()) return std::nullopt;
  int code = 0;
  for (std::size_t i = zeros; i <= 2 * zeros; ++i) code = code << 1 | bit(i);
  return code - 1;
}

Bytes to_sample(const std::vector<BytesView>& units) {
  Bytes sample;
  std::size_t size = 0;
  for (BytesView unit : units) size += unit.size() + 4;
  sample.reserve(size);
  for (BytesView unit : units) {
    int type = unit_type(unit);
    if (type == unit_sequence_set || type == unit_picture_set || type == unit_delimiter ||
        type == unit_filler)
      continue;
    auto length = static_cast<std::uint32_t>(unit.size());
    for (int shift = 24; shift >= 0; shift -= 8)
      sample.push_back(static_cast<std::uint8_t>(length >> shift));
    sample.insert(sample.end(), unit.begin(), unit.end());
  }
  return sample;
}

bool has_idr(const std::vector<BytesView>& units) {
  return std::ranges::any_of(units, [](BytesView unit) { return unit_type(unit) == unit_idr; });
}

}  // namespace relay::transcoder
