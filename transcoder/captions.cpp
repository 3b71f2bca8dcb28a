#include "transcoder/captions.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relay::transcoder {
namespace {

constexpr int unit_sei = 6;
constexpr unsigned sei_user_data_t35 = 4;
constexpr std::size_t waiting_pictures_max = 240;
constexpr std::size_t waiting_triples_max = 1200;  // a rate of 600 a second is fixed (CEA-708)

/// Without emulation prevention bytes (H.264 7.4.1).
Bytes unescaped(BytesView unit) {
  Bytes out;
  out.reserve(unit.size());
  int zeros = 0;
  for (std::uint8_t byte : unit) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    out.push_back(byte);
  }
  return out;
}

/// A number in the form of SEI types and sizes: bytes of 255 and a last one. Takes it off.
unsigned take_number(BytesView& bytes) {
  unsigned number = 0;
  while (!bytes.empty()) {
    std::uint8_t byte = bytes[0];
    bytes = bytes.subspan(1);
    number += byte;
    if (byte != 0xFF) break;
  }
  return number;
}

void append_captions(BytesView user_data, Bytes& triples) {
  // Country, provider, "GA94", cc_data; then flags with the count, and a byte of no meaning.
  constexpr std::array<std::uint8_t, 8> head = {0xB5, 0x00, 0x31, 'G', 'A', '9', '4', 3};
  constexpr std::uint8_t process_flag = 0x40, count_mask = 0x1F;
  if (user_data.size() < head.size() + 2) return;
  if (!std::ranges::equal(user_data.first(head.size()), head)) return;
  std::uint8_t flags = user_data[head.size()];
  BytesView data = user_data.subspan(head.size() + 2);
  std::size_t length = caption_triple_bytes * (flags & count_mask);
  if (!(flags & process_flag) || length > data.size()) return;
  triples.insert(triples.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(length));
}

bool is_valid(std::uint8_t marker) {
  return (marker & 4) != 0;
}

/// Whether a pair of CEA-608, without its parity bits, begins captions (not text): resume loading,
/// roll-up by 2 to 4 rows, resume direct captioning, end of caption.
bool begins_captions(std::uint8_t first, std::uint8_t second) {
  constexpr std::array<std::uint8_t, 6> commands = {0x20, 0x25, 0x26, 0x27, 0x29, 0x2F};
  bool control = (first & 0xF6) == 0x14;  // 14 and 15, 1C and 1D
  return control && std::ranges::find(commands, second) != commands.end();
}

}  // namespace

Bytes captions_of(const std::vector<BytesView>& units) {
  Bytes triples;
  for (BytesView unit : units) {
    if (unit_type(unit) != unit_sei) continue;
    Bytes message = unescaped(unit.subspan(1));
    BytesView rest = message;
    while (rest.size() > 2) {
      unsigned type = take_number(rest);
      std::size_t size = take_number(rest);
      if (size > rest.size()) break;
      if (type == sei_user_data_t35) append_captions(rest.first(size), triples);
      rest = rest.subspan(size);
    }
  }
  return triples;
}

CaptionChannels caption_channels(BytesView triples) {
  CaptionChannels channels;
  for (; triples.size() >= caption_triple_bytes; triples = triples.subspan(caption_triple_bytes)) {
    std::uint8_t kind = triples[0] & 3;  // field 1, field 2, and two of CEA-708
    std::uint8_t first = triples[1] & 0x7F, second = triples[2] & 0x7F;
    if (!is_valid(triples[0]) || kind > 1 || !begins_captions(first, second)) continue;
    constexpr std::uint8_t second_channel = 8;
    channels.set(2u * kind + ((first & second_channel) != 0 ? 1 : 0));
  }
  return channels;
}

void SourceCaptions::add(std::int64_t time_ns, Bytes triples) {
  if (triples.empty()) return;
  // After a step back of the mapping the new times count, and no letter is lost.
  for (auto it = waiting_.rbegin(); it != waiting_.rend() && it->time_ns > time_ns; ++it)
    it->time_ns = time_ns;
  if (waiting_.size() == waiting_pictures_max) waiting_.pop_front();
  waiting_.push_back({time_ns, std::move(triples)});
}

Bytes SourceCaptions::take(std::int64_t time_ns) {
  Bytes taken;
  while (!waiting_.empty() && waiting_.front().time_ns <= time_ns) {
    const Bytes& triples = waiting_.front().triples;
    taken.insert(taken.end(), triples.begin(), triples.end());
    waiting_.pop_front();
  }
  return taken;
}

void CaptionQueue::add(BytesView triples) {
  for (; triples.size() >= caption_triple_bytes; triples = triples.subspan(caption_triple_bytes))
    if (is_valid(triples[0]))
      waiting_.insert(waiting_.end(), triples.begin(), triples.begin() + caption_triple_bytes);
  constexpr std::size_t most = waiting_triples_max * caption_triple_bytes;
  if (waiting_.size() > most)
    waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(most));
}

Bytes CaptionQueue::take() {
  constexpr std::size_t most = caption_triples_a_picture_max * caption_triple_bytes;
  auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  Bytes taken(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

}  // namespace relay::transcoder
