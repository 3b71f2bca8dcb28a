// Any bytes from an encoder: how they are cut never changes what is read, and what is held stays
// within its limits.
#include <string>
#include <vector>

#include "common/base/check.hpp"
#include "origin/live/rtmp/flv.hpp"
#include "origin/live/rtmp/session.hpp"

namespace {

using relay::origin::live::rtmp::Session;

struct Outcome {
  std::vector<std::string> events;
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

void note(Session& session, const Session::Event& event, Outcome& outcome) {
  if (const auto* publish = std::get_if<Session::Publish>(&event)) {
    outcome.events.push_back(publish->app + "/" + publish->stream);
    session.accept();
  } else if (const auto* media = std::get_if<Session::Media>(&event)) {
    RELAY_CHECK(session.publishing());
    outcome.events.push_back(flv_tag(media->message));
    role_of(media->message);
    flv_codec(media->message);
  } else {
    outcome.events.push_back("end");
  }
}

Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
  Session session(std::string(1528, 'r'));
  Outcome outcome;
  while (!bytes.empty() && !outcome.broken) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    for (;;) {
      auto event = session.read(now);
      outcome.broken = !event;
      if (!event || !*event) break;
      note(session, **event, outcome);
    }
    RELAY_CHECK(outcome.broken || now.empty());
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  // Most inputs should get past the handshake.
  std::string bytes;
  bool with_handshake = size > 0 && data[0] != 0xff;
  if (with_handshake) bytes = std::string(1, '\3') + std::string(2 * 1536, 'h');
  bytes.append(reinterpret_cast<const char*>(data), size);
  Outcome whole = read_in_pieces(bytes, std::string_view::npos);
  RELAY_CHECK(read_in_pieces(bytes, 1) == whole);
  return 0;
}
