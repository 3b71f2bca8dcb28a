#include "origin/live/rtmp/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/big_endian.hpp"

namespace relay::origin::live::rtmp {
namespace {

constexpr char version = 3;
constexpr std::size_t handshake_bytes = 1536;  // of C1, C2, S1 and S2
constexpr std::uint32_t control_chunk_stream = 2;
constexpr std::uint32_t command_chunk_stream = 3;
constexpr std::uint32_t media_stream = 1;
constexpr std::uint32_t ping_request = 6;
constexpr std::uint32_t ping_response = 7;
constexpr std::uint32_t stream_begin = 0;

Amf::Object status_object(std::string_view level, std::string_view code,
                          std::string_view description) {
  return {{"level", std::string(level)},
          {"code", std::string(code)},
          {"description", std::string(description)}};
}

double transaction_of(const std::vector<Amf>& command) {
  return command.size() > 1 ? command[1].number() : 0;
}

std::string_view text_at(const std::vector<Amf>& command, std::size_t at) {
  return command.size() > at ? command[at].text() : std::string_view();
}

}  // namespace

// C0 and C1: version, time, four bytes, 1528 of chance. Ours is the plain handshake; encoders do
// not ask for the one with digests.
bool Session::take_greeting(std::string_view& bytes) {
  std::size_t wanted = 1 + handshake_bytes - handshake_.size();
  handshake_ += bytes.substr(0, wanted);
  bytes.remove_prefix(std::min(wanted, bytes.size()));
  if (handshake_.size() < 1 + handshake_bytes) return false;
  output_ += version;
  output_ += std::string(8, '\0') + random_;          // S1
  output_ += std::string_view(handshake_).substr(1);  // S2 is C1 again
  handshake_.clear();
  state_ = State::acknowledging;
  return true;
}

bool Session::take_acknowledgement(std::string_view& bytes) {
  std::size_t wanted = handshake_bytes - handshake_.size();
  handshake_ += bytes.substr(0, wanted);
  bytes.remove_prefix(std::min(wanted, bytes.size()));
  if (handshake_.size() < handshake_bytes) return false;
  handshake_ = {};
  state_ = State::commanding;
  return true;
}

Result<std::optional<Session::Event>> Session::read(std::string_view& bytes) {
  if (state_ == State::over) return bad_input("RTMP: the session is over");
  if (state_ == State::greeting && handshake_.empty() && !bytes.empty() && bytes.front() != version)
    return bad_input("RTMP: not an RTMP handshake (version 3 is taken)");
  std::size_t before = bytes.size();
  if (state_ == State::greeting && !take_greeting(bytes)) return std::nullopt;
  if (state_ == State::acknowledging && !take_acknowledgement(bytes)) return std::nullopt;
  for (;;) {
    auto message = reader_.read(bytes);
    acknowledge(before - bytes.size());
    before = bytes.size();
    if (!message) return std::unexpected(message.error());
    if (!*message) return std::nullopt;
    auto event = take_message(std::move(**message));
    if (!event || *event) return event;
    if (output_.size() > output_bytes_max)
      return bad_input("RTMP: the peer sends commands and does not read the answers");
  }
}

void Session::acknowledge(std::size_t bytes) {
  received_ += static_cast<std::uint32_t>(bytes);
  if (received_ - acknowledged_ < acknowledge_each_) return;
  acknowledged_ = received_;
  std::string payload;
  append_big_endian(payload, received_, 4);
  send(MessageType::acknowledgement, 0, std::move(payload));
}

Result<std::optional<Session::Event>> Session::take_message(Message message) {
  std::string_view payload = message.payload;
  switch (message.type) {
    case MessageType::audio:
    case MessageType::video:
    case MessageType::data:
      if (state_ != State::publishing) return std::nullopt;
      return Event(Media{std::move(message)});
    case MessageType::command:
      return take_command(payload);
    case MessageType::command_amf3:  // a byte 0, then AMF 0 all the same
      if (!payload.starts_with('\0')) return bad_input("RTMP: commands in AMF 3 are not taken");
      return take_command(payload.substr(1));
    case MessageType::window_acknowledgement_size:
      // A window of a few bytes would make an answer of every packet.
      if (payload.size() >= 4)
        acknowledge_each_ = std::max<std::uint32_t>(big_endian(payload.substr(0, 4)) / 2, 65536);
      return std::nullopt;
    case MessageType::user_control:
      on_user_control(payload);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void Session::on_user_control(std::string_view payload) {
  if (payload.size() < 6 || big_endian(payload.substr(0, 2)) != ping_request) return;
  std::string answer;
  append_big_endian(answer, ping_response, 2);
  answer += payload.substr(2, 4);
  send(MessageType::user_control, 0, std::move(answer));
}

Result<std::optional<Session::Event>> Session::take_command(std::string_view payload) {
  auto command = read_amf(payload);
  if (!command) return bad_input("RTMP: " + command.error().message);
  std::string_view name = text_at(*command, 0);
  double transaction = transaction_of(*command);
  if (name == "connect") {
    on_connect(*command);
  } else if (!connected_) {
    return bad_input("RTMP: a command before 'connect'");
  } else if (name == "createStream") {
    send_command(0, {"_result", transaction, Amf(), static_cast<double>(media_stream)});
  } else if (name == "publish") {
    return on_publish(*command);
  } else if (name == "FCUnpublish" || name == "deleteStream" || name == "closeStream") {
    if (state_ != State::publishing) return std::nullopt;
    state_ = State::commanding;
    return Event(End{});
  } else if (name == "play" || name == "play2") {
    send_status("error", "NetStream.Play.Failed", "this server takes streams only; play HLS");
  } else if (name == "releaseStream" || name == "FCPublish" || name == "_checkbw") {
    send_command(0, {"_result", transaction, Amf(), Amf()});
  }
  return std::nullopt;
}

void Session::on_connect(const std::vector<Amf>& command) {
  const Amf* app = command.size() > 2 ? command[2].member("app") : nullptr;
  app_ = app ? std::string(app->text().substr(0, name_bytes_max)) : "";
  while (app_.ends_with('/')) app_.pop_back();
  connected_ = true;
  std::string size;
  append_big_endian(size, window_bytes, 4);
  send(MessageType::window_acknowledgement_size, 0, size);
  send(MessageType::set_peer_bandwidth, 0, size + '\x02');  // dynamic
  std::string chunk;
  append_big_endian(chunk, sent_chunk_bytes, 4);
  send(MessageType::set_chunk_size, 0, chunk);
  Amf::Object server{{"fmsVer", "FMS/3,0,1,123"}, {"capabilities", 31.0}};
  Amf::Object info = status_object("status", "NetConnection.Connect.Success", "connected");
  info.emplace_back("objectEncoding", 0.0);
  send_command(0, {"_result", transaction_of(command), server, info});
}

Result<std::optional<Session::Event>> Session::on_publish(const std::vector<Amf>& command) {
  std::string_view stream = text_at(command, 3);
  if (state_ != State::commanding) return bad_input("RTMP: 'publish' while publishing");
  if (stream.size() > name_bytes_max) return bad_input("RTMP: the stream's name is too long");
  state_ = State::asked;
  return Event(Publish{app_, std::string(stream)});
}

void Session::accept() {
  state_ = State::publishing;
  std::string begin;
  append_big_endian(begin, stream_begin, 2);
  append_big_endian(begin, media_stream, 4);
  send(MessageType::user_control, 0, std::move(begin));
  send_status("status", "NetStream.Publish.Start", "publishing");
}

void Session::refuse(std::string_view reason) {
  state_ = State::over;
  send_status("error", "NetStream.Publish.BadName", reason);
}

void Session::end(std::string_view reason) {
  state_ = State::over;
  send_status("status", "NetStream.Unpublish.Success", reason);
}

void Session::send_status(std::string_view level, std::string_view code,
                          std::string_view description) {
  send_command(media_stream, {"onStatus", 0.0, Amf(), status_object(level, code, description)});
}

void Session::send_command(std::uint32_t stream, const std::vector<Amf>& values) {
  send(MessageType::command, stream, write_amf(values));
}

// Our chunk size is announced with the answer to connect and holds from the message after it.
void Session::send(MessageType type, std::uint32_t stream, std::string payload) {
  bool command = type == MessageType::command;
  output_ += write_chunks({type, 0, stream, std::move(payload)},
                          command ? command_chunk_stream : control_chunk_stream,
                          connected_ ? sent_chunk_bytes : 128);
}

}  // namespace relay::origin::live::rtmp
