#include "origin/live/rtmp/chunk_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/big_endian.hpp"

namespace relay::origin::live::rtmp {
namespace {

constexpr std::uint32_t extended_timestamp = 0xffffff;
constexpr std::size_t head_bytes_max = 3 + 11 + 4;
constexpr std::size_t message_head_bytes[] = {11, 7, 3, 0};  // by format

}  // namespace

/// What stands before a chunk's data.
struct ChunkReader::Head {
  std::uint32_t chunk_stream = 0;
  int format = 0;
  std::string_view fields;  // of the message head
  std::optional<std::uint32_t> extended;
  std::size_t bytes = 0;  // of it all
};

Result<std::optional<ChunkReader::Head>> ChunkReader::read_head(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  auto first = static_cast<unsigned char>(bytes.front());
  Head head;
  head.format = first >> 6;
  head.chunk_stream = first & 0x3f;
  head.bytes = head.chunk_stream == 0 ? 2 : head.chunk_stream == 1 ? 3 : 1;
  if (bytes.size() < head.bytes) return std::nullopt;
  if (head.chunk_stream <= 1) {  // the long forms; the second byte of the longer one comes first
    auto low = static_cast<unsigned char>(bytes[1]);
    unsigned high = head.bytes == 3 ? static_cast<unsigned char>(bytes[2]) : 0u;
    head.chunk_stream = 64 + low + 256 * high;
  }
  std::size_t fields = message_head_bytes[head.format];
  if (bytes.size() < head.bytes + fields) return std::nullopt;
  head.fields = bytes.substr(head.bytes, fields);
  head.bytes += fields;
  auto known = streams_.find(head.chunk_stream);
  bool extended = head.format == 3 ? known != streams_.end() && known->second.extended
                                   : big_endian(head.fields.substr(0, 3)) == extended_timestamp;
  if (!extended) return head;
  if (bytes.size() < head.bytes + 4) return std::nullopt;
  head.extended = big_endian(bytes.substr(head.bytes, 4));
  head.bytes += 4;
  return head;
}

Result<void> ChunkReader::begin_message(Stream& stream, const Head& head) {
  if (head.format != 0 && !stream.known)
    return bad_input(fmt::format("RTMP: chunk stream {} begins in the middle", head.chunk_stream));
  if (head.format < 3) {
    std::uint32_t time = head.extended.value_or(big_endian(head.fields.substr(0, 3)));
    if (head.format == 0) stream.timestamp_ms = time;
    stream.delta_ms = head.format == 0 ? 0 : time;
    stream.extended = head.extended.has_value();
  }
  if (head.format < 2) {
    stream.length = big_endian(head.fields.substr(3, 3));
    stream.type = static_cast<std::uint8_t>(head.fields[6]);
  }
  if (head.format == 0) stream.stream = little_endian(head.fields.substr(7, 4));
  // A whole head without a delta, then a bare one: the spec's delta is the first timestamp, but no
  // sender means that; the time stays.
  stream.timestamp_ms += stream.delta_ms;
  stream.known = true;
  stream.open = true;
  stream.payload.clear();
  if (stream.length > message_bytes_max)
    return bad_input(fmt::format("RTMP: a message of {} bytes; allowed are {}", stream.length,
                                 message_bytes_max));
  return {};
}

Result<bool> ChunkReader::obey(const Message& message) {
  if (message.type != MessageType::set_chunk_size && message.type != MessageType::abort)
    return false;
  if (message.payload.size() < 4) return bad_input("RTMP: a control message that is too short");
  std::uint32_t value = big_endian(std::string_view(message.payload).substr(0, 4));
  if (message.type == MessageType::set_chunk_size) {
    if (value < 1 || value > chunk_bytes_max)
      return bad_input(
          fmt::format("RTMP: a chunk size of {}; allowed are 1 to {}", value, chunk_bytes_max));
    chunk_bytes_ = value;
    return true;
  }
  if (auto it = streams_.find(value); it != streams_.end() && it->second.open) {
    held_ -= it->second.payload.size();
    it->second.open = false;
    it->second.payload.clear();
  }
  return true;
}

Result<bool> ChunkReader::begin_chunk(std::string_view& bytes) {
  std::size_t had = pending_.size();
  pending_ += bytes.substr(0, head_bytes_max - had);
  auto head = read_head(pending_);
  if (!head) return std::unexpected(head.error());
  std::size_t taken = *head ? (*head)->bytes : pending_.size();
  bytes.remove_prefix(taken - had);
  if (!*head) return false;
  std::uint32_t number = (*head)->chunk_stream;
  if (!streams_.contains(number) && streams_.size() == streams_max)
    return bad_input(fmt::format("RTMP: more than {} chunk streams", streams_max));
  current_ = &streams_[number];
  if (current_->open && (*head)->format != 3)
    return bad_input("RTMP: a message begins inside another one of its chunk stream");
  if (!current_->open) {
    if (auto begun = begin_message(*current_, **head); !begun)
      return std::unexpected(begun.error());
  }
  chunk_left_ = std::min<std::size_t>(chunk_bytes_, current_->length - current_->payload.size());
  pending_.clear();
  return true;
}

Result<std::optional<Message>> ChunkReader::read(std::string_view& bytes) {
  for (;;) {
    if (!current_) {
      auto begun = begin_chunk(bytes);
      if (!begun) return std::unexpected(begun.error());
      if (!*begun) return std::nullopt;
    }
    std::size_t taken = std::min(chunk_left_, bytes.size());
    current_->payload.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    chunk_left_ -= taken;
    held_ += taken;
    if (held_ > held_bytes_max) return bad_input("RTMP: too many messages that are not whole");
    if (chunk_left_ > 0) return std::nullopt;
    Stream& stream = *std::exchange(current_, nullptr);
    if (stream.payload.size() < stream.length) continue;
    Message message = end_message(stream);
    auto obeyed = obey(message);
    if (!obeyed) return std::unexpected(obeyed.error());
    if (!*obeyed) return message;
  }
}

Message ChunkReader::end_message(Stream& stream) {
  stream.open = false;
  held_ -= stream.payload.size();
  return {static_cast<MessageType>(stream.type), stream.timestamp_ms, stream.stream,
          std::exchange(stream.payload, {})};
}

std::string write_chunks(const Message& message, std::uint32_t chunk_stream,
                         std::uint32_t chunk_bytes) {
  std::string bytes;
  bool extended = message.timestamp_ms >= extended_timestamp;
  bytes += static_cast<char>(chunk_stream);
  append_big_endian(bytes, extended ? extended_timestamp : message.timestamp_ms, 3);
  append_big_endian(bytes, static_cast<std::uint32_t>(message.payload.size()), 3);
  bytes += static_cast<char>(message.type);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(message.stream >> shift);
  std::string_view left = message.payload;
  for (;;) {
    if (extended) append_big_endian(bytes, message.timestamp_ms, 4);
    bytes += left.substr(0, chunk_bytes);
    left.remove_prefix(std::min<std::size_t>(chunk_bytes, left.size()));
    if (left.empty()) return bytes;
    bytes += static_cast<char>(0xc0 | chunk_stream);
  }
}

}  // namespace relay::origin::live::rtmp
