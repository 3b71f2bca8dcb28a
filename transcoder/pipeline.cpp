#include "transcoder/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/delivery.hpp"
#include "transcoder/encoder_pool.hpp"
#include "transcoder/frame_rate.hpp"
#include "transcoder/passthrough.hpp"
#include "transcoder/pictures.hpp"
#include "transcoder/probe.hpp"
#include "transcoder/sound.hpp"

namespace relay::transcoder {

namespace {

constexpr std::int64_t segments_in_hurry = 2;  // of these the cheapest rendition goes first
constexpr int encoder_threads_max = 16;        // of one rendition

// One run from the source to its last segment; the order of the calls in go() is the story.
class Run {
 public:
  Run(const Encoding& encoding, const SourceLimits& limits, int source_fd, Sink& sink)
      : encoding_(encoding),
        limits_(limits),
        source_fd_(source_fd),
        stop_(std::chrono::steady_clock::now() + limits.wall_clock_max),
        delivery_(sink, stop_),
        timeline_(stop_) {}

  Result<media::JobResult> go() {
    Result<void> done = work();
    if (!done) delivery_.fail_with(done.error());
    if (auto failure = delivery_.failure()) return answer(*failure);
    return result_;
  }

 private:
  Result<void> work();
  Result<void> plan_picture_renditions();
  Result<void> open_sound();
  Result<void> open_copy();
  std::vector<Result<Encoder>> opened_encoders(const std::vector<AlreadyPublished>& done) const;
  Result<void> open_encoders();
  std::optional<Thumbnails> open_thumbnails() const;
  Result<void> make_pictures();
  Result<void> make_sound();
  void note(const std::optional<Extent>& extent);
  void tell_flaws();
  Result<std::unique_ptr<Demuxer>> reopen() { return Demuxer::open(source_fd_, limits_, stop_); }
  int workers() const;
  int threads_of(const Rendition& rendition) const;

  // What is wrong with the source is the job's result; the rest is an error.
  static Result<media::JobResult> answer(const Error& failure) {
    if (failure.source != ErrorSource::client) return std::unexpected(failure);
    media::JobResult result;
    result.retry = failure.retry;
    result.reason = failure.message;
    return result;
  }

  const Encoding& encoding_;
  const SourceLimits& limits_;
  int source_fd_;
  StopSignal stop_;
  Delivery delivery_;
  Timeline timeline_;
  media::JobResult result_;

  std::optional<ProbedSource> source_;
  SourceFacts facts_;
  std::optional<CopyPlan> copy_;
  std::optional<Chunker> chunker_;
  std::vector<Rendition> renditions_;  // to encode, largest first
  std::optional<EncoderPool> pool_;
  std::vector<Rendition> scaled_;  // of those that go on, as the pool has them
  std::int64_t first_frame_ = 0;   // earlier ones are published in every rendition
  std::optional<SoundEncoder> sound_encoder_;
  int sound_track_ = 0, copy_track_ = 0;
  AlreadyPublished sound_done_, copy_done_, thumbnails_done_;
  // What of the source this try has read and decoded: of the sound its thread's until it has ended.
  std::optional<Extent> extent_, sound_extent_;
  DecodedCount pictures_, sounds_;
};

int Run::workers() const {
  if (encoding_.workers > 0) return static_cast<int>(encoding_.workers);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// By share of the pixels. What comes to less than a core is worked by one thread, the pool's, as
// many renditions are at once. The largest one's frames follow from each other: with one thread
// it would be what all others wait for. x264's frame threads wait for rows of the picture before,
// so it takes more of them than cores to keep the cores busy.
int Run::threads_of(const Rendition& rendition) const {
  constexpr double near_a_core = 0.75, threads_a_core = 1.5;
  auto load = [](const Rendition& r) {
    return static_cast<double>(r.width) * r.height / r.frame_step;
  };
  double all = 0;
  for (const Rendition& other : renditions_) all += load(other);
  double cores = workers() * load(rendition) / all;
  if (cores < near_a_core) return 1;
  return std::min(1 + static_cast<int>(std::ceil(threads_a_core * cores)), encoder_threads_max);
}

Result<void> Run::work() {
  delivery_.progress(0, "probing");
  auto demuxer = reopen();
  if (!demuxer) return std::unexpected(demuxer.error());
  source_.emplace(std::move(*demuxer));
  auto facts = probe(*source_, limits_);
  if (!facts) return std::unexpected(facts.error());
  facts_ = std::move(*facts);
  if (facts_.has_picture) {
    if (auto planned = plan_picture_renditions(); !planned) return planned;
  } else {
    chunker_ = Chunker::regular({sound_rate / 128, sound_frame / 128}, false);
  }
  if (facts_.has_sound) {
    if (auto opened = open_sound(); !opened) return opened;
  }
  if (facts_.has_picture) {
    if (auto opened = open_copy(); !opened) return opened;
    if (auto opened = open_encoders(); !opened) return opened;
  }

  std::jthread sound;
  if (facts_.has_sound && !sound_done_.ended)
    sound = std::jthread([this] {
      if (auto made = make_sound(); !made) delivery_.fail_with(made.error());
    });
  else
    timeline_.sound_ends_at(0);
  if (facts_.has_picture) {
    if (auto made = make_pictures(); !made) {
      delivery_.fail_with(made.error());
      return made;
    }
  }
  if (sound.joinable()) sound.join();
  if (stop_.late() && !delivery_.failure())
    return fail(ErrorKind::timeout, ErrorSource::client,
                "it took longer than the time allowed for one file");
  tell_flaws();
  result_.ready = true;
  return {};
}

// Every reader that was at the end has seen the same: the first one counts.
void Run::note(const std::optional<Extent>& extent) {
  if (!extent_) extent_ = extent;
}

void Run::tell_flaws() {
  note(sound_extent_);
  for (auto& flaw : {extent_ ? early_end(*extent_) : std::nullopt, damaged_picture(pictures_),
                     damaged_sound(sounds_)}) {
    if (!flaw) continue;
    log::warn("the source is not whole", {log::kv("what", *flaw)});
    result_.warnings.push_back(*flaw);
  }
}

Result<void> Run::plan_picture_renditions() {
  const PicturePlan& picture = facts_.picture;
  if (encoding_.passthrough && may_copy(*source_->demuxer().video(), facts_)) {
    auto demuxer = reopen();
    if (!demuxer) return std::unexpected(demuxer.error());
    auto plan = plan_copy(**demuxer, facts_, encoding_);
    if (!plan) return std::unexpected(plan.error());
    note((*demuxer)->extent());
    copy_ = std::move(*plan);
  }
  bool halving = true;
  if (copy_)
    halving = std::ranges::all_of(copy_->keys, [](std::int64_t key) { return key % 2 == 0; });
  renditions_ =
      plan_ladder(picture.width, picture.height, picture.frame_rate, halving, encoding_.ladder);
  // The copy takes the place of the rendition of its size.
  if (copy_)
    std::erase_if(renditions_, [&](const Rendition& r) {
      return r.width >= picture.width || r.height >= picture.height;
    });
  if (!renditions_.empty()) {
    facts_.picture.top_width = renditions_.front().width;
    facts_.picture.top_height = renditions_.front().height;
  }
  bool halved = std::ranges::any_of(renditions_, [](auto& r) { return r.frame_step > 1; });
  chunker_ = copy_ ? Chunker::at_keys(picture.frame_rate, copy_->keys, copy_->frames)
                   : Chunker::regular(picture.frame_rate, halved);
  result_.width = picture.width;
  result_.height = picture.height;
  log::info("source understood",
            {log::kv("format", source_->demuxer().format_name()),
             log::kv("size", fmt::format("{}x{}", picture.width, picture.height)),
             log::kv("rate", picture.frame_rate.value()), log::kv("turn", picture.turn),
             log::kv("interlaced", facts_.interlaced), log::kv("hdr", picture.to_sdr),
             log::kv("sound", facts_.has_sound), log::kv("copied", copy_.has_value()),
             log::kv("renditions", renditions_.size())});
  return {};
}

Result<void> Run::open_sound() {
  auto encoder = SoundEncoder::open(encoding_.audio_kbit_s);
  if (!encoder) return std::unexpected(encoder.error());
  TrackSpec track = encoder->track();
  track.language = source_->demuxer().audio_language();
  sound_done_ = delivery_.published(track.name);
  auto opened = delivery_.open(std::move(track));
  if (!opened) return std::unexpected(opened.error());
  sound_track_ = *opened;
  sound_encoder_.emplace(std::move(*encoder));
  return {};
}

Result<void> Run::open_copy() {
  if (!copy_) return {};
  copy_done_ = delivery_.published(copy_->track.name);
  auto opened = delivery_.open(copy_->track);
  if (!opened) return std::unexpected(opened.error());
  copy_track_ = *opened;
  return {};
}

// Side by side, for x264 clears and fills a lot of memory at its opening.
std::vector<Result<Encoder>> Run::opened_encoders(const std::vector<AlreadyPublished>& done) const {
  std::vector<std::future<Result<Encoder>>> opening;
  for (std::size_t i = 0; i < renditions_.size(); ++i)
    opening.push_back(
        std::async(std::launch::async, [this, &rendition = renditions_[i], &done = done[i]] {
          return Encoder::open(rendition, facts_.picture, *chunker_, encoding_,
                               threads_of(rendition), done.ended ? 0 : done.segments);
        }));
  std::vector<Result<Encoder>> encoders;
  for (auto& encoder : opening) encoders.push_back(encoder.get());
  return encoders;
}

Result<void> Run::open_encoders() {
  pool_.emplace(delivery_, stop_, chunker_->first_frame(segments_in_hurry));
  first_frame_ = INT64_MAX;
  std::vector<AlreadyPublished> published;
  for (const Rendition& rendition : renditions_)
    published.push_back(delivery_.published(rendition.name));
  std::vector<Result<Encoder>> encoders = opened_encoders(published);
  for (std::size_t i = 0; i < renditions_.size(); ++i) {
    const Rendition& rendition = renditions_[i];
    Result<Encoder>& encoder = encoders[i];
    if (!encoder) return std::unexpected(encoder.error());
    auto track = delivery_.open(encoder->track());
    if (!track) return std::unexpected(track.error());
    if (published[i].ended) continue;
    if (encoder->first_frame() == INT64_MAX)
      return fail(
          ErrorKind::conflict, ErrorSource::internal,
          fmt::format("{} has more segments published than the source gives", rendition.name));
    first_frame_ = std::min(first_frame_, encoder->first_frame());
    pool_->add(std::move(*encoder), *track,
               static_cast<std::int64_t>(rendition.width) * rendition.height);
    scaled_.push_back(rendition);
  }
  thumbnails_done_ = delivery_.published(std::string(thumbnails_name));
  if (!thumbnails_done_.ended && pool_->size() > 0)
    first_frame_ = std::min(first_frame_, chunker_->first_frame(thumbnails_done_.segments));
  return {};
}

// They are made of pictures that are scaled for an encoder: where nothing is encoded, for all is
// copied or was done by an earlier try, there are none, or they are there.
std::optional<Thumbnails> Run::open_thumbnails() const {
  if (thumbnails_done_.ended || pool_->size() == 0) return std::nullopt;
  TileSize tile = tile_size(facts_.picture.width, facts_.picture.height);
  return Thumbnails(*chunker_, tile, facts_.picture.matrix, thumbnails_done_.segments);
}

Result<void> Run::make_pictures() {
  if (copy_) {
    timeline_.picture_ends_at(copy_->frames);
    result_.duration_ms = time_of_frame(copy_->frames, chunker_->rate()) / 1'000'000;
    if (!copy_done_.ended) {
      auto demuxer = reopen();
      if (!demuxer) return std::unexpected(demuxer.error());
      if (auto done =
              copy(**demuxer, *copy_, *chunker_, delivery_, copy_track_, copy_done_.segments);
          !done)
        return done;
    }
    if (pool_->size() == 0) return {};
  }
  auto decoder = Decoder::open(*source_->demuxer().video(), limits_, std::min(workers(), 8));
  if (!decoder) return std::unexpected(decoder.error());
  Pictures::Span span;
  span.zero_ns = facts_.zero_ns;
  span.first_frame = pool_->size() > 0 ? first_frame_ : 0;
  if (copy_) span.frames = copy_->frames;
  span.duration_max_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(limits_.duration_max).count();
  span.with_sound = facts_.has_sound && !sound_done_.ended;
  Pictures pictures(*source_, std::move(*decoder), facts_.picture, Scaler(scaled_), *pool_,
                    timeline_, delivery_, span, open_thumbnails());
  pool_->start(workers());
  if (auto made = pictures.run(); !made) return made;
  pool_->finish();
  if (!copy_) result_.duration_ms = time_of_frame(pictures.frames(), chunker_->rate()) / 1'000'000;
  note(source_->demuxer().extent());
  pictures_ = pictures.decoder().count();
  return {};
}

Result<void> Run::make_sound() {
  auto demuxer = reopen();
  if (!demuxer) return std::unexpected(demuxer.error());
  auto decoder = Decoder::open(*(*demuxer)->audio(), limits_, 1);
  if (!decoder) return std::unexpected(decoder.error());
  Sound::Place place;
  place.zero_ns = facts_.zero_ns;
  place.track = sound_track_;
  place.first_segment = sound_done_.segments;
  place.alone = !facts_.has_picture;
  Sound sound(**demuxer, std::move(*decoder), std::move(*sound_encoder_), *chunker_, timeline_,
              delivery_, place);
  auto made = sound.run();
  if (place.alone) result_.duration_ms = sound.duration_ms();
  sound_extent_ = (*demuxer)->extent();
  sounds_ = sound.decoder().count();
  return made;
}

}  // namespace

Result<media::JobResult> run_video(const Encoding& encoding, const SourceLimits& limits,
                                   int source_fd, Sink& sink) {
  av::quiet();
  return Run(encoding, limits, source_fd, sink).go();
}

}  // namespace relay::transcoder
