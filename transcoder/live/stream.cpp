#include "transcoder/live/stream.hpp"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/live/sound_lane.hpp"

namespace relay::transcoder::live {

namespace {

constexpr std::size_t queue_bytes_max = 16 << 20;
constexpr std::size_t group_packets_max = 600;  // no key picture for longer: begin anywhere
constexpr auto drain_poll = std::chrono::milliseconds(10);
constexpr std::int64_t reorder_max_us = 60'000'000;  // no coding reorders over a minute

}  // namespace

Stream::Stream(media::FeedFormat format, const StreamTools& tools, SlotOutput& output)
    : tools_(tools),
      output_(output),
      queue_(queue_bytes_max),
      study_(tools.limits),
      limit_(tools.limits) {
  output_.begin(tools_.clock.now_us());
  thread_ = std::jthread([this, format] { run(format); });
}

Stream::~Stream() {
  queue_.stop();
}

void Stream::push(std::string_view unit) {
  if (!queue_.push(unit, tools_.clock.now_us())) output_.drop(1);
}

void Stream::run(media::FeedFormat format) {
  auto opened = StreamInput::open(format, queue_, tools_.limits);
  if (!opened) return output_.end(queue_.stopped() ? "" : opened.error().message);
  input_ = std::move(*opened);
  input_->on_refused([this](const std::string& why) { output_.refuse_track(why); });
  av::Packet packet = av::make_packet();
  while (refused_.empty() && input_->next(*packet)) {
    take(std::move(packet));
    packet = av::make_packet();
  }
  if (pictures_) pictures_->end();
  while (pictures_ && !pictures_->done() && !queue_.stopped())
    std::this_thread::sleep_for(drain_poll);
  if (!refused_.empty()) queue_.stop();  // the publisher may go on, to nobody
  bool nothing = !input_->picture() && !input_->sound();
  std::string error = refused_;
  if (nothing && !queue_.stopped())
    error =
        input_->refused().empty() ? "the stream has no picture and no sound" : input_->refused();
  output_.end(std::move(error));
}

void Stream::take(av::Packet packet) {
  bool picture = input_->picture() && packet->stream_index == input_->picture()->index;
  Track track = picture ? Track::picture : Track::sound;
  if (packet->dts == AV_NOPTS_VALUE) {
    if (sound_) sound_->push(*packet);
    return;
  }
  if (picture) {
    refused_ = limit_.refusal(*input_->picture(), *packet);
    if (!refused_.empty()) return;
  }
  to_microseconds(*packet, track);
  const media::LiveSetup* setup = tools_.agreement.setup();
  bool begun = mapping_ && mapping_->begun();
  if (!begun && picture) keep(*packet);
  if (!setup) {
    study(*packet, track);
    setup = tools_.agreement.setup();
  }
  if (!setup) return;
  if (!begun) {
    if (!begin(*setup, *packet, track)) return;
    if (picture) return;  // it was the last of the group that is shown now
  }
  std::int64_t arrival = input_->arrival_us();
  std::int64_t offset = mapping_->offset(track, packet->dts, arrival);
  output_.note_clock(mapping_->jumps(), mapping_->lead_us());
  show(std::move(packet), track, offset);
}

// 64 bits wide, of the publisher's clock.
void Stream::to_microseconds(AVPacket& packet, Track track) {
  const AVStream& stream = track == Track::picture ? *input_->picture() : *input_->sound();
  auto& unwrapper = unwrappers_[static_cast<std::size_t>(track)];
  if (!unwrapper) unwrapper.emplace(stream.pts_wrap_bits);
  constexpr AVRational microseconds = {1, 1'000'000};
  packet.dts = unwrapper->next(packet.dts);
  if (packet.pts != AV_NOPTS_VALUE) packet.pts = unwrapper->beside(packet.pts);
  av_packet_rescale_ts(&packet, stream.time_base, microseconds);
  bool sane = packet.pts != AV_NOPTS_VALUE && std::abs(packet.pts - packet.dts) < reorder_max_us;
  if (!sane) packet.pts = packet.dts;
  if (track == Track::picture) packet.dts += composition_.next(packet.pts - packet.dts);
}

void Stream::study(const AVPacket& packet, Track track) {
  auto facts =
      track == Track::picture ? study_.picture(*input_->picture(), packet) : study_.sound(packet);
  if (facts) tools_.agreement.propose(*facts);
}

// What came since the last key picture is kept: when showing can begin, it is decoded at once, so
// that nobody waits for the next one.
void Stream::keep(const AVPacket& packet) {
  bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (key) group_.clear();
  if (group_.empty() && !key) return;
  if (group_.size() >= group_packets_max) return group_.clear();
  av::Packet copy = av::make_packet();
  if (av_packet_ref(copy.get(), &packet) < 0) av::out_of_memory("a packet");
  group_.push_back(std::move(copy));
}

bool Stream::begin(const media::LiveSetup& setup, const AVPacket& packet, Track track) {
  std::int64_t arrival = input_->arrival_us();
  if (track == Track::sound) {
    if (sound_since_ == INT64_MIN) sound_since_ = arrival;
    bool pictures = setup.renditions.front().video;
    bool alone = !input_->picture() && arrival - sound_since_ >= sound_alone_us;
    if (pictures && !alone) return false;
  } else if (group_.empty()) {
    return false;
  }
  MappingRules rules{.delay_us = tools_.live.delay.count() * 1000, .rate = rate_of(setup)};
  if (rules.delay_us >= sound_ahead_us) rules.sound_least_us = sound_ahead_us;
  mapping_.emplace(rules);
  mapping_->begin(packet.dts, arrival);
  std::int64_t offset = mapping_->offset(track, packet.dts, arrival);
  if (track == Track::picture)
    for (av::Packet& each : std::exchange(group_, {})) show(std::move(each), track, offset);
  return true;
}

void Stream::show(av::Packet packet, Track track, std::int64_t offset) {
  packet->dts += offset;
  packet->pts += offset;
  const media::LiveSetup& setup = *tools_.agreement.setup();
  if (track == Track::sound) {
    if (!sound_) sound_.emplace(*input_->sound(), tools_.limits, tools_.clock, output_);
    sound_->push(*packet);
  } else if (setup.renditions.front().video) {
    if (!pictures_)
      pictures_.emplace(*input_->picture(), tools_.limits, setup, tools_.clock, output_);
    output_.note_arrival(input_->arrival_us());
    pictures_->push(std::move(packet));
  }
}

}  // namespace relay::transcoder::live
