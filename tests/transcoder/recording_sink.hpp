// A Sink that keeps everything, and what tests ask of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transcoder/track.hpp"

namespace relay::transcoder {

class RecordingSink : public Sink {
 public:
  std::map<std::string, AlreadyPublished> before;
  std::map<std::string, TrackSpec> tracks;
  std::map<std::string, std::vector<Segment>> segments;
  std::vector<std::string> order;  // of segments: "audio 0"
  std::optional<int> fail_after;   // so many segments

  AlreadyPublished published(const std::string& name) override {
    auto found = before.find(name);
    return found == before.end() ? AlreadyPublished{} : found->second;
  }
  Result<void> open_track(const TrackSpec& track) override {
    names_.push_back(track.name);
    tracks[track.name] = track;
    return {};
  }
  Result<void> segment(Segment segment) override {
    if (fail_after && static_cast<int>(order.size()) >= *fail_after)
      return fail(ErrorKind::no_space, ErrorSource::disk, "the disk is full", true);
    const std::string& name = names_.at(static_cast<std::size_t>(segment.track));
    order.push_back(name + " " + std::to_string(segment.number));
    segments[name].push_back(std::move(segment));
    return {};
  }
  Result<void> thumbnails(ThumbnailSheet sheet) override {
    sheets.push_back(std::move(sheet));
    return {};
  }
  std::vector<ThumbnailSheet> sheets;
  Result<void> captions(CaptionChannels channels) override {
    captioned |= channels;
    return {};
  }
  Result<void> progress(double fraction, const std::string&) override {
    falls = falls || fraction < fraction_;
    fraction_ = fraction;
    return {};
  }
  bool falls = false;
  CaptionChannels captioned;

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& [name, track] : tracks) result.push_back(name);
    return result;
  }
  double seconds(const std::string& name) const {
    std::int64_t ticks = 0;
    for (const Segment& segment : segments.at(name)) ticks += segment.duration;
    return static_cast<double>(ticks) / static_cast<double>(tracks.at(name).timescale);
  }
  /// Presentation times in seconds at which segments begin.
  std::vector<double> starts(const std::string& name) const {
    std::vector<double> result;
    for (const Segment& segment : segments.at(name))
      result.push_back(static_cast<double>(segment.start) /
                       static_cast<double>(tracks.at(name).timescale));
    return result;
  }
  /// Presentation times in seconds of the key pictures.
  std::vector<double> keys(const std::string& name) const {
    std::vector<double> result;
    for (const Segment& segment : segments.at(name))
      for (const Sample& sample : segment.samples)
        if (sample.sync)
          result.push_back(static_cast<double>(sample.pts) /
                           static_cast<double>(tracks.at(name).timescale));
    return result;
  }

  /// What is wrong with a track by the rules of track.hpp; "" when nothing is.
  std::string flaw(const std::string& name) const {
    const TrackSpec& track = tracks.at(name);
    std::vector<std::int64_t> shown;
    std::int64_t number = first_of(name), dts = INT64_MIN, end = 0;
    for (const Segment& segment : segments.at(name)) {
      std::string where = name + " segment " + std::to_string(segment.number) + ": ";
      bool last = &segment == &segments.at(name).back();
      std::int64_t sum = 0, least = INT64_MAX;
      if (segment.number != number++) return where + "wrong number";
      if (segment.samples.empty()) return where + "empty";
      if (!segment.samples[0].sync) return where + "does not begin with a key picture";
      if (segment.last != last) return where + "wrong mark of the end";
      for (const Sample& sample : segment.samples) {
        if (sample.dts <= dts) return where + "decode times do not rise";
        if (sample.pts < sample.dts) return where + "shown before it is decoded";
        if (sample.data.empty()) return where + "empty sample";
        dts = sample.dts;
        sum += sample.duration;
        least = std::min(least, sample.pts);
        shown.push_back(sample.pts);
      }
      if (segment.samples[0].pts != least || segment.start != least) return where + "wrong start";
      if (sum != segment.duration) return where + "wrong duration";
      if (end != 0 && segment.start != end) return where + "does not follow the one before";
      if (sum >= track.timescale * 13 / 2) return where + "too long";
      end = segment.start + sum;
    }
    std::ranges::sort(shown);
    for (std::size_t i = 1; i < shown.size(); ++i)
      if (shown[i] - shown[i - 1] != segments.at(name)[0].samples[0].duration)
        return name + ": uneven presentation";
    if (first_of(name) == 0 && shown[0] != presentation_base_s * track.timescale)
      return name + ": does not begin at the base";
    return "";
  }
  std::string flaw() const {
    for (const auto& [name, list] : segments)
      if (std::string found = flaw(name); !found.empty()) return found;
    return "";
  }

 private:
  std::int64_t first_of(const std::string& name) const {
    auto found = before.find(name);
    return found == before.end() ? 0 : found->second.segments;
  }
  std::vector<std::string> names_;
  double fraction_ = 0;
};

}  // namespace relay::transcoder
