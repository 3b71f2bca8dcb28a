#include "origin/live/rtmp_connection.hpp"

#include <sys/random.h>

#include <algorithm>

#include "common/base/log.hpp"
#include "origin/live/channels.hpp"
#include "origin/live/rtmp/flv.hpp"

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t handshake_random_bytes = 1528;
constexpr auto publish_wait = 10s;  // from the connection's begin until something is published
constexpr auto media_wait = 15s;    // without a byte of what is published

// Chance is what the protocol asks for; nothing depends on it.
std::string random_bytes() {
  std::string bytes(handshake_random_bytes, '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    ssize_t n = getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

Unit unit_of(const rtmp::Message& message) {
  switch (rtmp::role_of(message)) {
    case rtmp::TagRole::metadata:
      return Unit::metadata;
    case rtmp::TagRole::video_header:
      return Unit::video_header;
    case rtmp::TagRole::audio_header:
      return Unit::audio_header;
    case rtmp::TagRole::key_picture:
      return Unit::key_picture;
    case rtmp::TagRole::other:
      break;
  }
  return Unit::other;
}

bool is_taken(std::string_view codec) {
  constexpr std::string_view taken[] = {"", "h264", "hevc", "aac", "mp3"};
  return std::ranges::find(taken, codec) != std::end(taken);
}

}  // namespace

RtmpConnection::RtmpConnection(const Channels& channels, RtmpCounters counters, std::string peer,
                               Place place)
    : channels_(channels),
      counters_(counters),
      peer_(std::move(peer)),
      place_(std::move(place)),
      session_(random_bytes()),
      greeted_by_(steady_now() + publish_wait) {
}

RtmpConnection::~RtmpConnection() {
  end_feed();
}

void RtmpConnection::await_bytes() {
  if (feed_) return arm(media_wait);
  arm_until(greeted_by_);
}

bool RtmpConnection::take(std::string_view bytes) {
  if (feed_) counters_.bytes.add(bytes.size());
  for (;;) {
    auto event = session_.read(bytes);
    if (!event) {
      if (feed_) return leave(event.error().message);
      log_end(event.error().message);
      return false;
    }
    if (!*event) return true;
    if (!carry_out(std::move(**event))) return false;
  }
}

bool RtmpConnection::carry_out(rtmp::Session::Event event) {
  if (auto* publish = std::get_if<rtmp::Session::Publish>(&event)) return on_publish(*publish);
  if (auto* media = std::get_if<rtmp::Session::Media>(&event)) return on_media(media->message);
  end_feed();
  greeted_by_ = steady_now() + publish_wait;
  return true;
}

bool RtmpConnection::on_publish(const rtmp::Session::Publish& publish) {
  auto key = read_stream_name(publish.app + "/" + publish.stream);
  if (!key) return leave(key.error().message);
  channel_ = key->tenant + "/" + key->asset;
  auto feed = channels_.admit(*key, media::FeedFormat::flv);
  if (!feed) return leave(feed.error().message);
  feed_ = std::move(*feed);
  place_.reset();
  counters_.publishers.add(1);
  session_.accept();
  log::info("publisher came", {kv("protocol", "rtmp"), kv("peer", peer_), kv("channel", channel_),
                               kv("slot", media::name(feed_->slot()))});
  return feed_->write(rtmp::flv_header(), Unit::start);
}

bool RtmpConnection::on_media(const rtmp::Message& message) {
  if (!feed_) return true;
  if (std::string codec = rtmp::flv_codec(message); !is_taken(codec)) {
    return leave(codec + " is not taken by RTMP: send H.264 or HEVC with AAC or MP3");
  }
  if (feed_->write(rtmp::flv_tag(message), unit_of(message))) return true;
  session_.end("another publisher took over, the key was revoked, or the channel has ended");
  log_end("not wanted any more");
  return false;
}

bool RtmpConnection::leave(std::string_view reason) {
  counters_.refused.add();
  if (feed_) feed_->refuse(std::string(reason));
  session_.refuse(reason);
  log_end(reason);
  return false;
}

void RtmpConnection::end_feed() {
  if (!feed_) return;
  feed_.reset();
  counters_.publishers.add(-1);
}

void RtmpConnection::log_end(std::string_view why) const {
  log::info("publisher left",
            {kv("protocol", "rtmp"), kv("peer", peer_), kv("channel", channel_), kv("why", why)});
}

}  // namespace relay::origin::live
