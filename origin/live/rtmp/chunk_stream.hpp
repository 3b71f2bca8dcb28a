// RTMP's chunk stream (Adobe, "Real-Time Messaging Protocol", 2012, section 5.3): messages cut into
// chunks of several interleaved streams, and back. Pure. Whatever a peer sends, the memory held is
// bounded by `held_bytes_max`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::origin::live::rtmp {

enum class MessageType : std::uint8_t {
  set_chunk_size = 1,
  abort = 2,
  acknowledgement = 3,
  user_control = 4,
  window_acknowledgement_size = 5,
  set_peer_bandwidth = 6,
  audio = 8,
  video = 9,
  data_amf3 = 15,
  command_amf3 = 17,
  data = 18,
  command = 20,
};

struct Message {
  MessageType type = MessageType::command;
  std::uint32_t timestamp_ms = 0;  // wraps after 49 days
  std::uint32_t stream = 0;
  std::string payload;
};

class ChunkReader {
 public:
  static constexpr std::size_t message_bytes_max = 4 << 20;  // a key picture of 4K is about 1 MB
  static constexpr std::size_t held_bytes_max = 8 << 20;     // of messages that are not whole yet
  static constexpr std::size_t streams_max = 64;
  static constexpr std::uint32_t chunk_bytes_max = 16 << 20;

  /// Takes bytes from the front of `bytes` until a message is whole; nullopt: all are taken and
  /// more are needed. Set Chunk Size and Abort are obeyed here and not given. Errors (invalid): a
  /// limit above, or what is no chunk stream.
  Result<std::optional<Message>> read(std::string_view& bytes);

 private:
  struct Stream {
    std::uint32_t timestamp_ms = 0, delta_ms = 0;
    std::uint32_t length = 0, stream = 0;
    std::uint8_t type = 0;
    bool extended = false, known = false;
    std::string payload;  // so far
    bool open = false;    // in the middle of a message
  };
  struct Head;
  Result<std::optional<Head>> read_head(std::string_view bytes);
  Result<void> begin_message(Stream& stream, const Head& head);
  Result<bool> begin_chunk(std::string_view& bytes);
  Message end_message(Stream& stream);
  Result<bool> obey(const Message& message);

  std::uint32_t chunk_bytes_ = 128;
  std::size_t held_ = 0;
  std::map<std::uint32_t, Stream> streams_;
  Stream* current_ = nullptr;  // whose chunk is being read
  std::size_t chunk_left_ = 0;
  std::string pending_;  // the beginning of a head that is not whole
};

inline constexpr std::uint32_t sent_chunk_bytes = 4096;

/// The message as chunks of at most `chunk_bytes` on chunk stream `chunk_stream` (2 to 63).
std::string write_chunks(const Message& message, std::uint32_t chunk_stream,
                         std::uint32_t chunk_bytes);

}  // namespace relay::origin::live::rtmp
