// One publisher's RTMP connection as a protocol (Adobe, "Real-Time Messaging Protocol", 2012):
// bytes in, events and bytes out. Pure: the listener does the I/O and decides who may publish.
//
//   handshake → connect → createStream → publish → (the listener's answer) → media … → end
//
// Nothing of media is given before accept(). Playing is refused: viewers have HLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/error.hpp"
#include "origin/live/rtmp/amf.hpp"
#include "origin/live/rtmp/chunk_stream.hpp"

namespace relay::origin::live::rtmp {

class Session {
 public:
  /// The peer wants to publish: answer with accept() or refuse(). rtmp://host/APP/STREAM
  struct Publish {
    std::string app, stream;  // "demo", "final?key=…"
  };
  /// Audio, video or data of the published stream.
  struct Media {
    Message message;
  };
  /// The publisher said that it ends.
  struct End {};
  using Event = std::variant<Publish, Media, End>;

  static constexpr std::size_t output_bytes_max = 64 * 1024;  // answers that the peer does not read
  static constexpr std::size_t name_bytes_max = 1024;         // of app and stream
  static constexpr std::uint32_t window_bytes = 2'500'000;

  /// `server_random`: 1528 bytes for the handshake.
  explicit Session(std::string server_random) : random_(std::move(server_random)) {}

  /// Takes from the front of `bytes` until something happens; nullopt: all are taken and more
  /// are needed.
  /// Errors (invalid): the connection is of no more use; what output() has may still be sent.
  Result<std::optional<Event>> read(std::string_view& bytes);

  void accept();
  /// `reason`: a sentence for whoever runs the encoder. The connection should be closed once the
  /// output is sent.
  void refuse(std::string_view reason);
  /// The published stream is over by our will.
  void end(std::string_view reason);

  /// Bytes to send, taken away.
  std::string take_output() { return std::exchange(output_, {}); }
  bool publishing() const { return state_ == State::publishing; }

 private:
  enum class State { greeting, acknowledging, commanding, asked, publishing, over };
  bool take_greeting(std::string_view& bytes);
  bool take_acknowledgement(std::string_view& bytes);
  Result<std::optional<Event>> take_message(Message message);
  Result<std::optional<Event>> take_command(std::string_view payload);
  Result<std::optional<Event>> on_publish(const std::vector<Amf>& command);
  void on_connect(const std::vector<Amf>& command);
  void on_user_control(std::string_view payload);
  void acknowledge(std::size_t bytes);
  void send(MessageType type, std::uint32_t stream, std::string payload);
  void send_command(std::uint32_t stream, const std::vector<Amf>& values);
  void send_status(std::string_view level, std::string_view code, std::string_view description);

  std::string random_;
  State state_ = State::greeting;
  std::string handshake_;  // of a greeting that is not whole
  ChunkReader reader_;
  std::string output_;
  std::string app_;
  bool connected_ = false;
  std::uint32_t received_ = 0, acknowledged_ = 0;  // bytes, wrapping as the protocol does
  std::uint32_t acknowledge_each_ = window_bytes;
};

}  // namespace relay::origin::live::rtmp
